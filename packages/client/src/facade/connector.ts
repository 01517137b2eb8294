import type { FetchCredentials } from '../sync/session/credentials.ts';
import type { SyncConnector } from '../sync/session/create-session.ts';
import type { RequestOptions } from '../sync/session/stream-request.ts';
import type { UploadResult } from '../upload/upload-loop.ts';

/** What an app brings to sync (spec/client.md 3.1). */
export interface Connector<Database> {
  /** The service's address and a token; null if nobody is signed in. */
  readonly fetchCredentials: FetchCredentials;
  /** Sends what is in the queue, and completes what the backend has. Throwing is tried again later. */
  readonly uploadData: (database: Database, signal: AbortSignal) => Promise<UploadResult | void>;
  readonly postCheckpointRequest?: SyncConnector['postCheckpointRequest'];
}

export interface SyncOptions extends RequestOptions {
  /** `http` if left out. */
  readonly connectionMethod?: 'http' | 'websocket' | undefined;
  /** The least time between the starts of two rounds of uploads; 1,000 ms if left out. */
  readonly uploadThrottleMs?: number | undefined;
  /** `requests`: the client counts its write checkpoints, if the service can do that. */
  readonly checkpointMode?: 'legacy' | 'requests' | undefined;
}
