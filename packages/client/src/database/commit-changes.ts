import type { ChangeSet, KnownValues, RowChange, TableChange } from '../changes/change-set.ts';
import type { CrudEntry, CrudValues } from '../crud/crud-entry.ts';
import type { SqlValue } from '../driver/contract.ts';
import type { CompiledSchema, CompiledTable } from '../schema/compiled-schema.ts';

/** What a transaction did, as far as its session knows. */
export interface CommitFacts {
  /** Entries that it queued, oldest first; `many` if there are too many to tell. */
  readonly entries: readonly CrudEntry[] | 'many';
  /** Tables that its statements write, in lower case. */
  readonly written: ReadonlySet<string>;
  /** Whether an inserted row may have replaced another one. */
  readonly mayReplace: boolean;
}

/**
 * Writes to synced tables are known row by row from their queue entries; of other tables it is only known that they were written.
 */
export function commitChanges(schema: CompiledSchema, facts: CommitFacts): ChangeSet {
  const captured = new Map(
    schema.tables.filter(({ kind }) => kind === 'synced').map((table) => [table.name, table]),
  );
  const capturedNames = new Set([...captured.values()].map(sqlName));
  const changes = new Map<string, TableChange>();
  for (const name of facts.written) {
    if (/^(sluice|sqlite)_/.test(name)) continue;
    if (facts.entries === 'many' || !capturedNames.has(name)) changes.set(name, EVERYTHING);
  }
  if (facts.entries === 'many') return changes;
  for (const [table, entries] of entriesByTable(captured, facts.entries)) {
    changes.set(sqlName(table), tableChange(table, entries, facts.mayReplace));
  }
  return changes;
}

const EVERYTHING: TableChange = { columns: 'all', rows: 'many' };

function sqlName({ viewName }: CompiledTable): string {
  return viewName.toLowerCase();
}

function entriesByTable(
  tables: ReadonlyMap<string, CompiledTable>,
  entries: readonly CrudEntry[],
): ReadonlyMap<CompiledTable, readonly CrudEntry[]> {
  const byTable = new Map<CompiledTable, CrudEntry[]>();
  for (const entry of entries) {
    const table = tables.get(entry.table);
    if (table === undefined) continue;
    const known = byTable.get(table);
    if (known === undefined) byTable.set(table, [entry]);
    else known.push(entry);
  }
  return byTable;
}

function tableChange(
  table: CompiledTable,
  entries: readonly CrudEntry[],
  mayReplace: boolean,
): TableChange {
  const rows = new Map<string, RowChange>();
  const columns = new Set<string>();
  for (const entry of entries) {
    const earlier = rows.get(entry.id);
    const before = earlier === undefined ? valuesBefore(table, entry, mayReplace) : earlier.before;
    const known = earlier === undefined ? before : earlier.after;
    rows.set(entry.id, { id: entry.id, before, after: valuesAfter(table, entry, known) });
    for (const name of Object.keys(entry.opData ?? {})) columns.add(name.toLowerCase());
  }
  const onlyUpdates = entries.every(({ op }) => op === 'PATCH');
  return { columns: onlyUpdates ? columns : 'all', rows: [...rows.values()] };
}

function valuesBefore(
  table: CompiledTable,
  entry: CrudEntry,
  mayReplace: boolean,
): KnownValues | undefined {
  if (entry.op === 'PUT' && !mayReplace) return undefined;
  return knownValues(table, entry.previousValues ?? {});
}

function valuesAfter(
  table: CompiledTable,
  { op, opData }: CrudEntry,
  earlier: KnownValues | undefined,
): KnownValues | undefined {
  if (op === 'DELETE') return undefined;
  if (op === 'PATCH') return new Map([...(earlier ?? []), ...knownValues(table, opData ?? {})]);
  const absent = Object.fromEntries(table.columns.map(({ name }) => [name, null]));
  return knownValues(table, { ...absent, ...opData });
}

/** Blobs stand as text in entries, so what a column for blobs holds is not known. */
function knownValues(table: CompiledTable, values: CrudValues): KnownValues {
  const known = new Map<string, SqlValue>();
  for (const { name, type } of table.columns) {
    const value = values[name];
    if (type !== 'BLOB' && value !== undefined) known.set(name.toLowerCase(), value);
  }
  return known;
}
