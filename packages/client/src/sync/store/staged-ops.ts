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

/** Operations of a line as they are stored. */
export interface StagedLine {
  /** The object type if all operations put rows of one that SQLite can read by itself; null otherwise. */
  readonly type: string | null;
  /** JSON array of tuples: what is said of rows. */
  readonly ops: string;
  /** JSON object of the rows' bodies by id, in the order of `ops`; ids may come again. A removal has null. */
  readonly bodies: string;
}

type Tuple = readonly [opId: string, objectType: string, objectId: string, subkey: string];

/** Within a body a line's end is only white space, as strings have it escaped. */
const BETWEEN = ',\n';
const LINE_ENDS = /[\r\n]/g;
/** SQLite 3.51 does not read every such number exactly; it does read those without. */
const EXPONENT = /":\s*-?[\d.]+[eE]/;
/** Nothing to escape. */
const SIMPLE_ID = /^[\w-]*$/;

/** Bodies are put in as they came. */
export function encodeStaged(ops: readonly (PutOp | RemoveOp)[]): StagedLine {
  const tuple = ({ opId, objectType, objectId, subkey }: PutOp | RemoveOp): Tuple => [
    opId.toString(),
    objectType,
    objectId,
    subkey,
  ];
  const [first] = ops;
  const isOfOne = ops.every((op) => op.kind === 'PUT' && op.objectType === first?.objectType);
  const bodies = bodiesText(ops);
  return {
    type: isOfOne && !EXPONENT.test(bodies) ? (first?.objectType ?? null) : null,
    ops: JSON.stringify(ops.map(tuple)),
    bodies,
  };
}

export function decodeStaged({
  ops,
  bodies,
}: Pick<StagedLine, 'ops' | 'bodies'>): readonly StagedOp[] {
  const members = bodies.slice(1, -1).split(BETWEEN);
  return (JSON.parse(ops) as readonly Tuple[]).map(
    ([opId, objectType, objectId, subkey], index) => {
      const body = (members[index] ?? '').slice(labelOf(objectId).length);
      return {
        opId: BigInt(opId),
        objectType,
        objectId,
        subkey,
        data: body === 'null' ? null : body,
      };
    },
  );
}

/** One text that grows: joining many is twice as slow. */
function bodiesText(ops: readonly (PutOp | RemoveOp)[]): string {
  let text = '';
  for (const op of ops) text += (text === '' ? '{' : BETWEEN) + labelOf(op.objectId) + bodyOf(op);
  return `${text}}`;
}

function labelOf(objectId: string): string {
  return SIMPLE_ID.test(objectId) ? `"${objectId}":` : `${JSON.stringify(objectId)}:`;
}

function bodyOf(op: PutOp | RemoveOp): string {
  if (op.kind === 'REMOVE') return 'null';
  return op.data.includes('\n') ? op.data.replace(LINE_ENDS, ' ') : op.data;
}
