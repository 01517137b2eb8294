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

/** Operations of a line as they are stored: what is said of rows, and the rows' bodies as they came. */
export interface StagedLine {
  readonly ops: string;
  readonly bodies: string;
}

type Tuple = readonly [opId: string, objectType: string, objectId: string, subkey: string];

/** No JSON text has this character. */
const BETWEEN = '\u001e';

/** Bodies are not made part of another JSON text, as escaping them would cost more than storing them. */
export function encodeStaged(ops: readonly (PutOp | RemoveOp)[]): StagedLine {
  const tuple = ({ opId, objectType, objectId, subkey }: PutOp | RemoveOp): Tuple => [
    opId.toString(),
    objectType,
    objectId,
    subkey,
  ];
  return {
    ops: JSON.stringify(ops.map(tuple)),
    bodies: ops.map((op) => (op.kind === 'PUT' ? op.data : '')).join(BETWEEN),
  };
}

export function decodeStaged({ ops, bodies }: StagedLine): readonly StagedOp[] {
  const texts = bodies.split(BETWEEN);
  return (JSON.parse(ops) as readonly Tuple[]).map(
    ([opId, objectType, objectId, subkey], index) => ({
      opId: BigInt(opId),
      objectType,
      objectId,
      subkey,
      data: texts[index] === '' ? null : (texts[index] ?? null),
    }),
  );
}
