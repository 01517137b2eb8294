import { splitPrograms, type Instruction } from './explain-program.ts';
import { ReadsInProgress, type ReadSet } from './read-set.ts';
import type { Btree, CatalogColumn, SchemaCatalog } from './schema-catalog.ts';
import { virtualTableReads } from './virtual-tables.ts';

/**
 * The tables and columns that a statement's result depends on, from its compiled program: what its cursors
 * open and which columns are taken from them. Views, CTEs and subqueries are no matter: only tables are left of them.
 *
 * May name more than SQLite would need, never less: an index in use counts with all columns that order it,
 * since rows come out in that order.
 */
export function readsOf(instructions: readonly Instruction[], catalog: SchemaCatalog): ReadSet {
  const reads = new ReadsInProgress();
  const [program = []] = splitPrograms(instructions);
  const cursors = new Map<number, OpenCursor>();
  for (const instruction of program) {
    if (instruction.opcode === 'VOpen') {
      reads.addAll(virtualReads(instruction.p4, catalog));
    } else if (instruction.opcode === 'OpenRead' || instruction.opcode === 'ReopenIdx') {
      const btree = catalog.btree(instruction.p3, instruction.p2);
      if (btree === undefined) return 'everything';
      const cursor = cursors.get(instruction.p1) ?? { btrees: new Set(), onlyCounted: true };
      cursor.btrees.add(btree);
      cursors.set(instruction.p1, cursor);
    }
  }
  for (const instruction of program) addUse(reads, cursors.get(instruction.p1), instruction);
  for (const cursor of cursors.values()) {
    for (const btree of cursor.btrees) reads.add(btree.table, implied(btree, cursor.onlyCounted));
  }
  return reads.result;
}

interface OpenCursor {
  readonly btrees: Set<Btree>;
  onlyCounted: boolean;
}

/** Instructions that go over rows without looking at them: then neither their order nor their contents matter. */
const COUNTING = new Set(
  [
    ['OpenRead', 'ReopenIdx', 'Close', 'Count', 'IfEmpty', 'IfSizeBetween'],
    ['Rewind', 'Last', 'Next', 'Prev'],
  ].flat(),
);
/** Instructions whose P1 is a cursor that they read or move. */
const CURSOR_USE =
  /^(?:Column|RowData|RowCell|Rowid|IdxRowid|Rewind|Last|Next|Prev|Sort|Seek\w*|Idx(?:GE|GT|LE|LT)|Found|NotFound|NoConflict|NotExists|DeferredSeek|FinishSeek|IfEmpty|IfSizeBetween|Offset)$/;

function addUse(
  reads: ReadsInProgress,
  cursor: OpenCursor | undefined,
  { opcode, p2 }: Instruction,
): void {
  if (cursor === undefined || COUNTING.has(opcode) || !CURSOR_USE.test(opcode)) return;
  cursor.onlyCounted = false;
  for (const { table, index } of cursor.btrees) {
    if (opcode === 'RowData' || opcode === 'RowCell') reads.add(table, 'all');
    if (opcode !== 'Column') continue;
    const column = index === undefined ? table.stored[p2] : index.columns[p2];
    if (index === undefined && column === undefined) reads.add(table, 'all');
    if (column !== undefined) reads.add(table, [column]);
  }
}

/** What the use of a b-tree reads without taking it from a row: the order of rows, and where they are looked for. */
function implied({ table, index }: Btree, onlyCounted: boolean): readonly CatalogColumn[] {
  const conditions = index?.conditions ?? [];
  if (onlyCounted) return conditions;
  const keys = index?.columns.slice(0, index.keyLength) ?? [];
  const computed = index?.computedFrom ?? [];
  const ofTable = table.columns.filter(({ inTableKey }) => inTableKey);
  return [...ofTable, ...conditions, ...computed, ...keys.filter((column) => column !== undefined)];
}

function virtualReads(pointer: string, catalog: SchemaCatalog): ReadSet {
  const candidates = catalog.virtualTables(pointer);
  if (candidates.length === 0) return 'everything';
  const all = new ReadsInProgress();
  const readsOfQuery = (sql: string) => readsOf(catalog.explain(sql), catalog);
  for (const table of candidates) all.addAll(virtualTableReads(table, catalog, readsOfQuery));
  return all.result;
}
