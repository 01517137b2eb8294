import type { OpId } from '@sluice/model';
import type { Op } from './op.ts';

/**
 * One message of the sync stream (spec/protocol.md 2.3). `kind` is the single top-level key of the
 * line on the wire; ids are strings there and `bigint` here.
 */
export type Line = ControlLine | DataLine;

/** The lines that carry no operations. */
export type ControlLine =
  | CheckpointLine
  | CheckpointDiffLine
  | CheckpointCompleteLine
  | PartialCheckpointCompleteLine
  | TokenExpiresInLine;

/** Replaces all checkpoint state of the client. */
export interface CheckpointLine {
  readonly kind: 'checkpoint';
  readonly lastOpId: OpId;
  /** Left out of the line when there is none. */
  readonly writeCheckpoint: bigint | undefined;
  readonly buckets: readonly CheckpointBucket[];
  readonly streams: readonly StreamDescription[];
}

/** Patches the checkpoint before it. */
export interface CheckpointDiffLine {
  readonly kind: 'checkpoint_diff';
  readonly lastOpId: OpId;
  /** The current value, not only a change of it: clients overwrite theirs with every line. */
  readonly writeCheckpoint: bigint | undefined;
  readonly updatedBuckets: readonly CheckpointBucket[];
  readonly removedBuckets: readonly string[];
}

/** A line that tells of buckets, without these. */
export type BucketLineHead =
  Omit<CheckpointLine, 'buckets'> | Omit<CheckpointDiffLine, 'updatedBuckets'>;

/** Writes such a line bucket by bucket, so that a line of 100,000 can be written in steps. */
export interface BucketLineWriter {
  /** Of a checkpoint its buckets, of a diff those that it updates. */
  add(bucket: CheckpointBucket): void;
  finish(): Uint8Array;
}

/** Everything of the current checkpoint was sent. */
export interface CheckpointCompleteLine {
  readonly kind: 'checkpoint_complete';
  readonly lastOpId: OpId;
}

/** Everything in buckets of this priority or a more urgent one was sent. */
export interface PartialCheckpointCompleteLine {
  readonly kind: 'partial_checkpoint_complete';
  readonly lastOpId: OpId;
  readonly priority: number;
}

/** Keepalive and notice of expiry. */
export interface TokenExpiresInLine {
  readonly kind: 'token_expires_in';
  readonly seconds: number;
}

/** Operations of one bucket. */
export interface DataLine extends DataLineFrame {
  readonly kind: 'data';
  readonly ops: readonly Op[];
}

/** A data line without its operations. */
export interface DataLineFrame {
  readonly bucket: string;
  /** The position before this line. */
  readonly after: OpId;
  /** The position after this line. */
  readonly nextAfter: OpId;
  readonly hasMore: boolean;
}

export interface CheckpointBucket {
  readonly bucket: string;
  /** Any reading of the 32 bits; encoders write the signed one. */
  readonly checksum: number;
  readonly count: number;
  readonly priority: number;
  readonly subscriptions: readonly SubscriptionIndex[];
}

/** Index into `CheckpointLine.streams`, or into the subscriptions of the request. */
export type SubscriptionIndex = { readonly default: number } | { readonly sub: number };

export interface StreamDescription {
  readonly name: string;
  readonly isDefault: boolean;
  readonly errors: readonly StreamError[];
}

export interface StreamError {
  readonly subscription: 'default' | number;
  readonly message: string;
}
