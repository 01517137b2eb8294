import type { VerifiedToken } from '@sluice/auth';
import type { JsonObject } from '@sluice/base';
import type { QueryArgument } from '@sluice/source';
import type { StreamFormat, StreamRequest } from '@sluice/protocol';
import type { DeployPlan } from '../admin/deploy-plan.ts';
import type { DeployStatus } from '../admin/deploy-status.ts';

/** What the routes need of the rest of the service. All methods reject with `AppError`. */
export interface HttpBackend {
  /** @throws SyncError `SYNC_TOKEN_*`, `SYNC_KEYS_*`. */
  verifyUser(token: string): Promise<VerifiedToken>;
  /**
   * The stream of one client, in batches of bytes. Ends when it should end normally; a failure
   * before the first batch can still be told to the client.
   */
  openStream(open: OpenStream): ClientStream;
  /**
   * Raises the user's write checkpoint (spec/protocol.md 5.2).
   *
   * @throws SyncError `SYNC_WRITE_CHECKPOINT_CUSTOM`
   */
  createWriteCheckpoint(user: string): Promise<bigint>;
  /** Raises it to an id that the client chose; resolves with the stored value, which may be higher. @throws as above. */
  requestCheckpoint(user: string, id: bigint): Promise<bigint>;
  probes(): ProbeState;
  readonly admin: AdminBackend;
  /** Undefined: the service has none. */
  readonly writeApi?: WriteApiBackend | undefined;
}

interface WriteApiBackend {
  /** Never rejects. */
  readonly handle: (request: Request) => Promise<Response>;
  /** Larger bodies are refused before they are read whole. */
  readonly maxBodyBytes: number;
}

export interface ClientStream extends AsyncIterable<readonly Uint8Array[]> {
  /** What went to the client so far, for the log. */
  readonly sent?: SentCounts | undefined;
}

export interface SentCounts {
  readonly linesSent: number;
  readonly opsSent: number;
  /** Before compression. */
  readonly bytesSent: number;
}

export interface OpenStream {
  readonly request: StreamRequest;
  readonly token: VerifiedToken;
  /** U of spec/protocol.md 5.2. */
  readonly user: string;
  readonly format: StreamFormat;
  /** Whether the stream must show that it lives; over RSocket the transport does. */
  readonly keepalive: boolean;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

export interface ProbeState {
  readonly started: boolean;
  readonly ready: boolean;
  readonly live: boolean;
  readonly touchedAtMs: number;
  /** What is unwell, also where no probe fails for it; our own addition to the bodies. */
  readonly problems: readonly { readonly component: string; readonly code: string }[];
}

/** What the admin routes do; payloads of spec/protocol.md 1.3 unless said otherwise. */
export interface AdminBackend {
  /** `{success, results, error?}`. */
  executeSql(request: SqlRequest): Promise<JsonObject>;
  diagnostics(options: { readonly withContent: boolean }): Promise<JsonObject>;
  schema(): Promise<JsonObject>;
  /** A SyncRulesStatus. */
  validate(text: string): Promise<JsonObject>;
  /** A RulesInfo. */
  rulesInfo(text: string): JsonObject;
  /** `{current, next}`. @throws AppError `API_NO_ACTIVE_CONFIG`. */
  current(): Promise<{ readonly current: JsonObject; readonly next: JsonObject | null }>;
  /**
   * `{slot_name}`, once the deploy is durable.
   *
   * @throws AppError `API_SYNC_CONFIG_PINNED`, `CONFIG_SYNC_INVALID`, and those of
   * `ReplicatorSupervisor.request`.
   */
  deploy(text: string): Promise<JsonObject>;
  /** `{slot_name}`. @throws AppError as `deploy`, and `CONFIG_NO_PREVIOUS`. */
  rollBack(): Promise<JsonObject>;
  /** `{slot_name}`. @throws AppError `API_NO_ACTIVE_CONFIG`, `API_DEPLOY_IN_PROGRESS`. */
  reprocess(): Promise<JsonObject>;
  /** `{id, tag}` of the connection. */
  place(): JsonObject;
  /** Our own. @throws ConfigError `CONFIG_SYNC_INVALID`. */
  plan(text: string): Promise<DeployPlan>;
  /** Our own: what replication does, and which configs are active, deploying and previous. */
  status(): Promise<DeployStatus>;
}

export interface SqlRequest {
  readonly sql: string;
  readonly args: readonly QueryArgument[];
  readonly connectionId: string | undefined;
}
