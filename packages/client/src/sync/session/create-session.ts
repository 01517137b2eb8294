import type { ChangeSet } from '../../changes/change-set.ts';
import type { ClientClock } from '../../clock.ts';
import { LocalWriteGate } from '../../crud/local-write-gate.ts';
import { UploadQueue } from '../../crud/upload-queue.ts';
import type { SqliteConnection } from '../../driver/contract.ts';
import { ALWAYS_FREE, untilFree, type WriterTurn } from '../../database/writer-turn.ts';
import type { CompiledSchema } from '../../schema/compiled-schema.ts';
import { RequestedCheckpoints, StoredRequestIds } from '../../upload/requested-checkpoints.ts';
import { UploadLoop, type UploadResult } from '../../upload/upload-loop.ts';
import type { UploadLock } from '../../upload/upload-lock.ts';
import {
  LegacyWriteCheckpoints,
  ServiceCalls,
  type WriteCheckpoints,
} from '../../upload/write-checkpoints.ts';
import { StatusStore } from '../status/status-store.ts';
import { StatusTracker } from '../status/status-tracker.ts';
import { SqliteSyncStore } from '../store/sqlite-sync-store.ts';
import { SubscriptionStore } from '../streams/subscription-store.ts';
import { SyncStreams } from '../streams/sync-streams.ts';
import type { Fetch } from '../transport/transport.ts';
import { clientId } from './client-id.ts';
import { CredentialsCache, type FetchCredentials } from './credentials.ts';
import { StatusReporter } from './status-reporter.ts';
import { SyncSession } from './sync-session.ts';

/** What an app brings (spec/client.md 3.1). */
export interface SyncConnector {
  readonly fetchCredentials: FetchCredentials;
  /** Sends what is in the queue, and completes what the backend has. Throwing is tried again later. */
  readonly uploadData: (queue: UploadQueue, signal: AbortSignal) => Promise<UploadResult | void>;
  /** Delivers requests for checkpoints by the app's own backend; gives the accepted id. */
  readonly postCheckpointRequest?:
    ((clientId: string, requestId: string) => Promise<string>) | undefined;
}

export interface CreateSessionOptions {
  /** The writer's, with schema, sync layout and stream layout installed. */
  readonly connection: SqliteConnection;
  readonly schema: CompiledSchema;
  readonly connector: SyncConnector;
  readonly lock: UploadLock;
  /** For a connection on which the app has transactions of its own. */
  readonly turn?: WriterTurn | undefined;
  readonly fetch: Fetch;
  readonly clock: ClientClock;
  readonly random: () => number;
  /** A new UUID. */
  readonly newId: () => string;
  readonly userAgent: string;
  readonly uploadThrottleMs?: number | undefined;
  /** `requests`: the client counts its write checkpoints, if the service can do that. */
  readonly checkpointMode?: 'legacy' | 'requests' | undefined;
  readonly onPublished: (changes: ChangeSet) => void;
  readonly onProblem: (error: unknown) => void;
  /** Of a session over the same database that was disconnected: who listens to it, and its streams' handles, go on with this one. */
  readonly former?: Pick<CreatedSession, 'status' | 'streams'> | undefined;
}

export interface CreatedSession {
  readonly session: SyncSession;
  readonly status: StatusTracker;
  readonly streams: SyncStreams;
  readonly queue: UploadQueue;
  readonly clientId: string;
  /** To be called after every commit that put something into the queue. */
  readonly wroteLocally: () => void;
  /**
   * Gives a write checkpoint that stands for everything the backend has committed by now.
   *
   * @throws ClientError `SIGNED_OUT`; StreamFailure
   */
  readonly requestCheckpoint: (signal: AbortSignal) => Promise<bigint>;
}

/** Puts the parts of a session together over one local database. Reads the status that it has; connects to nothing. */
export function createSession(options: CreateSessionOptions): CreatedSession {
  const { connection, connector, clock, onProblem, former, turn = ALWAYS_FREE } = options;
  const status = former?.status ?? new StatusTracker({}, onProblem);
  const subscriptions = new SubscriptionStore(connection);
  const streams = former?.streams ?? new SyncStreams({ store: subscriptions, status, clock });
  const gate = new LocalWriteGate(connection);
  const queue = new UploadQueue(connection);
  const credentials = new CredentialsCache(connector.fetchCredentials, clock);
  const id = clientId(connection, options.newId);
  const now = (): number => clock.now();
  const reporter = new StatusReporter({
    status,
    store: new StatusStore(connection),
    subscriptions,
    now,
  });
  const checkpoints = writeCheckpoints(options, { credentials, gate, clientId: id });
  const uploads = new UploadLoop({
    oldest: () => queue.oldest(),
    gate,
    upload: (signal) => connector.uploadData(queue, signal),
    checkpoints,
    lock: options.lock,
    turn,
    clock,
    random: options.random,
    throttleMs: options.uploadThrottleMs,
    onStatus: (facts) => {
      status.update(facts);
      if (facts.uploadError !== undefined) session.uploadFailed(facts.uploadError);
    },
    onAcknowledged: () => session.uploadsAcknowledged(),
  });
  const session = new SyncSession({
    store: new SqliteSyncStore({ connection, schema: options.schema, gate, now }),
    streams,
    status,
    reporter,
    credentials,
    uploads,
    clientId: id,
    turn,
    clock,
    random: options.random,
    onPublished: options.onPublished,
    onProblem,
  });
  reporter.streamsChanged();
  return {
    session,
    status,
    streams,
    queue,
    clientId: id,
    wroteLocally: () => uploads.trigger(),
    requestCheckpoint: async (signal) => {
      await untilFree(turn);
      return checkpoints.request(signal);
    },
  };
}

function writeCheckpoints(
  options: CreateSessionOptions,
  parts: {
    readonly credentials: CredentialsCache;
    readonly gate: LocalWriteGate;
    readonly clientId: string;
  },
): WriteCheckpoints {
  const { fetch, clock, userAgent, connection, connector } = options;
  const calls = new ServiceCalls({ fetch, clock, userAgent, ...parts });
  const legacy = new LegacyWriteCheckpoints(calls);
  if (options.checkpointMode !== 'requests') return legacy;
  return new RequestedCheckpoints({
    calls,
    ids: new StoredRequestIds(connection),
    gate: parts.gate,
    fallback: legacy,
    post: connector.postCheckpointRequest,
  });
}
