import type {
  CheckpointBucket,
  CheckpointDiffLine,
  CheckpointLine,
  DataLine,
} from '@sluice/protocol';
import type { ChangeSet } from '../changes/change-set.ts';

/**
 * What the sync loop needs of the local database (spec/client.md 4). All calls are synchronous,
 * run on the writer's connection, and are one transaction each.
 */
export interface SyncStore {
  /** What the request tells the service: every bucket held, with the position after its last line. */
  positions(): readonly { readonly name: string; readonly after: string }[];
  /** Forgets buckets that the checkpoint no longer has (4.3). Visible tables stay until a full publish. */
  retain(bucketNames: ReadonlySet<string>): void;
  remove(bucketNames: readonly string[]): void;
  /** Keeps lines until they are published; positions move with them (4.2). */
  ingest(lines: readonly DataLine[]): void;
  /**
   * Compares sums with the checkpoint's (4.4). Returns the buckets that do not add up, which are dropped; if there are
   * none, the buckets' positions are the checkpoint's from now on, and its write checkpoint counts as seen.
   */
  validate(scope: PublishScope): readonly string[];
  /**
   * Makes what was validated visible, if the gate lets it (4.5, 4.6).
   * `closed` says that local writes wait to be acknowledged.
   */
  publish(scope: PublishScope): PublishResult;
}

export type PublishScope =
  | {
      readonly kind: 'full';
      readonly lastOpId: bigint;
      readonly writeCheckpoint: bigint | undefined;
      readonly buckets: readonly CheckpointBucket[];
    }
  | {
      readonly kind: 'partial';
      readonly priority: number;
      readonly lastOpId: bigint;
      /** Those of this priority and more urgent ones. */
      readonly buckets: readonly CheckpointBucket[];
    };

export type PublishResult =
  { readonly kind: 'published'; readonly changes: ChangeSet } | { readonly kind: 'closed' };

/** The checkpoint lines that open a new state of the stream. */
export type CheckpointOpening = CheckpointLine | CheckpointDiffLine;
