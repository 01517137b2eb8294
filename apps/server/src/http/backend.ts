import type { JsonObject } from '@sluice/base';
import type { StreamFormat, StreamRequest } from '@sluice/protocol';
import type { VerifiedToken } from '../auth/verify-token.ts';

/** What the routes need of the rest of the service. All methods reject with `AppError`. */
export interface HttpBackend {
  /** @throws SyncError `SYNC_TOKEN_*`, `SYNC_KEYS_UNAVAILABLE`. */
  verifyUser(token: string): Promise<VerifiedToken>;
  /**
   * The stream of one client, in batches of bytes. Ends when it should end normally; a failure
   * before the first batch can still be told to the client.
   */
  openStream(open: OpenStream): AsyncIterable<readonly Uint8Array[]>;
  /** Raises the user's write checkpoint (spec/protocol.md 5.2). */
  createWriteCheckpoint(user: string): Promise<bigint>;
  probes(): ProbeState;
  readonly admin: AdminBackend;
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
}

/** Payloads of spec/protocol.md 1.3. */
export interface AdminBackend {
  diagnostics(options: { readonly withContent: boolean }): Promise<JsonObject>;
  schema(): Promise<JsonObject>;
  /** A SyncRulesStatus. */
  validate(text: string): Promise<JsonObject>;
  /** A RulesInfo. */
  rulesInfo(text: string): JsonObject;
  /** @throws AppError `API_NO_ACTIVE_CONFIG`. */
  current(): Promise<JsonObject>;
}
