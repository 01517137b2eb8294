import type { PutOp, RemoveOp } from '@sluice/protocol';

/** An operation on a row as it lies in `sluice_staged`. */
export interface StagedOp {
  readonly opId: bigint;
  readonly objectType: string;
  readonly objectId: string;
  readonly subkey: string;
  /** JSON text of the row; null for a removal. */
  readonly data: string | null;
}

type Tuple = readonly [
  opId: string,
  objectType: string,
  objectId: string,
  subkey: string,
  data: string | null,
];

export function encodeStaged(ops: readonly (PutOp | RemoveOp)[]): string {
  return JSON.stringify(
    ops.map((op): Tuple => [
      op.opId.toString(),
      op.objectType,
      op.objectId,
      op.subkey,
      op.kind === 'PUT' ? op.data : null,
    ]),
  );
}

export function decodeStaged(text: string): readonly StagedOp[] {
  return (JSON.parse(text) as readonly Tuple[]).map(
    ([opId, objectType, objectId, subkey, data]) => ({
      opId: BigInt(opId),
      objectType,
      objectId,
      subkey,
      data,
    }),
  );
}
