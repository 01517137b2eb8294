import type { CheckpointBucket } from '@sluice/protocol';
import type { ClientError } from '../../errors.ts';

/**
 * Where the download side of a session stands. Together with `step` this is the whole of what
 * decides (spec/protocol.md 8.2, 8.3; spec/client.md 4.9); README.md of this folder is the table.
 */
export interface SyncState {
  readonly phase: Phase;
  /** Failures in a row, which make the next delay longer. */
  readonly failures: number;
  /** What the stream is bringing; undefined before its first checkpoint line. */
  readonly checkpoint: Checkpoint | undefined;
  /** A full checkpoint that is validated and may not be published yet, as local writes wait (4.5). */
  readonly held: Checkpoint | undefined;
}

export type Phase =
  | { readonly kind: 'stopped' }
  /** Until the app resumes. */
  | { readonly kind: 'paused' }
  /** The app has no credentials: waits for it to connect anew, or for a hint. */
  | { readonly kind: 'signedOut' }
  | { readonly kind: 'authorizing'; readonly hidden: boolean }
  | { readonly kind: 'opening'; readonly stream: number; readonly hidden: boolean }
  | Streaming
  | { readonly kind: 'waiting'; readonly error: ClientError | undefined };

export interface Streaming {
  readonly kind: 'streaming';
  /** Tells this stream's events from those of one that was closed before. */
  readonly stream: number;
  readonly openedAtMs: number;
  readonly lastLineAtMs: number;
  readonly hadLine: boolean;
  /** Whether credentials are being fetched ahead of the token's expiry. */
  readonly refreshing: boolean;
}

export interface Checkpoint {
  readonly lastOpId: bigint;
  readonly writeCheckpoint: bigint | undefined;
  readonly buckets: ReadonlyMap<string, CheckpointBucket>;
}

export const INITIAL_STATE: SyncState = {
  phase: { kind: 'stopped' },
  failures: 0,
  checkpoint: undefined,
  held: undefined,
};
