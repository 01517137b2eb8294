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

/** A line's operations on rows of one type as they are stored: rows of different types have nothing to do with each other. */
export interface StagedLine {
  readonly type: string;
  /** Whether SQLite reads the bodies exactly. */
  readonly isPlain: boolean;
  /** How many operations put a row; the others remove one. */
  readonly puts: number;
  readonly removals: number;
  /** JSON array of tuples: what is said of rows. */
  readonly ops: string;
  /** JSON object of the rows' bodies by id, in the order of `ops`; ids may come again. A removal has null. */
  readonly bodies: string;
}

/** A removal has one member more, for SQL to see. */
type Tuple = readonly [opId: string, objectId: string, subkey: string, removed?: 1];

/** Within a body a line's end is only white space, as strings have it escaped. */
const BETWEEN = ',\n';
const LINE_ENDS = /[\r\n]/g;
/** SQLite 3.51 does not read every such number exactly; it does read those without. */
const EXPONENT = /":\s*-?[\d.]+[eE]/;
/** Nothing to escape. */
const SIMPLE_ID = /^[\w-]*$/;

/** Bodies are put in as they came. */
export function encodeStaged(ops: readonly (PutOp | RemoveOp)[]): readonly StagedLine[] {
  const byType = new Map<string, (PutOp | RemoveOp)[]>();
  for (const op of ops) {
    const ofType = byType.get(op.objectType);
    if (ofType === undefined) byType.set(op.objectType, [op]);
    else ofType.push(op);
  }
  return [...byType].map(([type, ofType]) => encodeType(type, ofType));
}

function encodeType(type: string, ops: readonly (PutOp | RemoveOp)[]): StagedLine {
  const tuples = ops.map((op): Tuple => {
    const { objectId, subkey } = op;
    const opId = op.opId.toString();
    return isRemoval(op) ? [opId, objectId, subkey, 1] : [opId, objectId, subkey];
  });
  const removals = ops.filter(isRemoval).length;
  const bodies = bodiesText(ops);
  return {
    type,
    isPlain: !EXPONENT.test(bodies),
    puts: ops.length - removals,
    removals,
    ops: JSON.stringify(tuples),
    bodies,
  };
}

export function decodeStaged({
  type,
  ops,
  bodies,
}: Pick<StagedLine, 'type' | 'ops' | 'bodies'>): readonly StagedOp[] {
  const members = bodies.slice(1, -1).split(BETWEEN);
  return (JSON.parse(ops) as readonly Tuple[]).map(([opId, objectId, subkey, removed], index) => ({
    opId: BigInt(opId),
    objectType: type,
    objectId,
    subkey,
    data: removed === 1 ? null : (members[index] ?? '').slice(labelOf(objectId).length),
  }));
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

/** A body that is null has nothing to show either. */
function isRemoval(op: PutOp | RemoveOp): boolean {
  return op.kind === 'REMOVE' || op.data === 'null';
}

function bodyOf(op: PutOp | RemoveOp): string {
  if (op.kind === 'REMOVE') return 'null';
  return op.data.includes('\n') ? op.data.replace(LINE_ENDS, ' ') : op.data;
}
