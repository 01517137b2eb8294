import type { OpId } from '@sluice/model';

/** One operation of a bucket (spec/protocol.md 4.2). Checksums are unsigned 32 bit. */
export type Op = PutOp | RemoveOp | MoveOp | ClearOp;

export interface PutOp {
  readonly kind: 'PUT';
  readonly opId: OpId;
  readonly objectType: string;
  readonly objectId: string;
  readonly subkey: string;
  readonly checksum: number;
  /** JSON text of the row. */
  readonly data: string;
}

export interface RemoveOp {
  readonly kind: 'REMOVE';
  readonly opId: OpId;
  readonly objectType: string;
  readonly objectId: string;
  readonly subkey: string;
  readonly checksum: number;
}

/** Stands for operations that were superseded; only its checksum counts. */
export interface MoveOp {
  readonly kind: 'MOVE';
  readonly opId: OpId;
  readonly checksum: number;
}

/** Everything before it in the bucket is void. */
export interface ClearOp {
  readonly kind: 'CLEAR';
  readonly opId: OpId;
  readonly checksum: number;
}
