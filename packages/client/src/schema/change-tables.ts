import type { SqliteConnection } from '../driver/contract.ts';
import type { CompiledSchema, CompiledTable } from './compiled-schema.ts';
import { fullTextName, refillFullText } from './full-text.ts';
import { typeNumber } from './layout.ts';
import { rebuildTable } from './rebuild-table.ts';
import { fillAdded, keepDropped } from './rest-columns.ts';
import {
  lostTables,
  planColumnChange,
  planSchemaChange,
  type ColumnChange,
} from './schema-change.ts';
import { quoteName } from './sql-text.ts';
import type { SyncedRows } from './synced-rows.ts';
import { columnText, tableObjects, type SqlObject, type TableObjects } from './table-objects.ts';

/**
 * Turns the tables of one schema into those of another, inside the caller's transaction; `before` is undefined for
 * a new database. Objects whose text is the same are left alone. Gives warnings about what was lost.
 */
export function changeTables(
  connection: SqliteConnection,
  before: CompiledSchema | undefined,
  after: CompiledSchema,
  rows: SyncedRows,
): readonly string[] {
  const change = planSchemaChange(before ?? { tables: [] }, after);
  const objects = new Map(
    after.tables.map((table) => [table, tableObjects(table, typeNumber(connection, table.name))]),
  );
  /** Whose rows are others, or have other numbers, than the full-text index knows. */
  const refilled = new Set(change.added);
  const warnings = lostTables(change).map((table) => lossOf(connection, table));
  connection.exec('UPDATE sluice_guard SET applying = 1');
  dropOutdated(connection, before, [...objects.values()]);
  for (const table of change.removed) {
    if (table.kind === 'synced') rows.releaseRows(table);
    dropTable(connection, table);
  }
  renameTables(connection, change.kept);
  for (const kept of change.kept) {
    const columns = planColumnChange(kept.before, kept.after);
    if (columns === undefined) continue;
    refilled.add(kept.after);
    warnings.push(...changeColumns(connection, kept, columns));
  }
  for (const table of change.added) {
    connection.exec(must(objects, table).table.sql);
    if (table.kind === 'synced' && before !== undefined) rows.adoptRows(table);
  }
  const created = createMissing(connection, [...objects.values()]);
  for (const table of after.tables) {
    const isNew = created.has(fullTextName(table).toLowerCase());
    if (isNew || refilled.has(table)) refillFullText(connection, table);
  }
  connection.exec('UPDATE sluice_guard SET applying = 0');
  return warnings;
}

function must(
  objects: ReadonlyMap<CompiledTable, TableObjects>,
  table: CompiledTable,
): TableObjects {
  const found = objects.get(table);
  if (found === undefined) throw new Error(`No objects for table "${table.name}"`);
  return found;
}

function lossOf(connection: SqliteConnection, { name, viewName }: CompiledTable): string {
  const [count] = connection.prepare(`SELECT count(*) FROM ${quoteName(viewName)}`).get() ?? [];
  return `Table "${name}" is no longer local-only, and its ${String(count)} rows are gone`;
}

/** Indexes, triggers and views of ours that the new schema has otherwise, or not at all. */
function dropOutdated(
  connection: SqliteConnection,
  before: CompiledSchema | undefined,
  wanted: readonly TableObjects[],
): void {
  const texts = new Set(wanted.flatMap(everyObject).map(({ sql }) => sql));
  const existing = existingTexts(connection);
  for (const table of before?.tables ?? []) {
    const former = tableObjects(table, typeNumber(connection, table.name));
    const { idIndex, indexes, triggers, fullText } = former;
    const views = table.kind === 'insertOnly' ? [former.table] : [];
    // A view takes its triggers with it.
    const others = [...indexes, ...(idIndex ? [idIndex] : []), ...views];
    // Triggers before the tables that they write to.
    for (const object of [...triggers, ...fullText.toReversed(), ...others]) {
      const sql = existing.get(object.name.toLowerCase());
      if (sql === undefined || texts.has(sql)) continue;
      connection.exec(`DROP ${object.type.toUpperCase()} IF EXISTS ${quoteName(object.name)}`);
    }
  }
}

function dropTable(connection: SqliteConnection, { kind, viewName }: CompiledTable): void {
  const what = kind === 'insertOnly' ? 'VIEW' : 'TABLE';
  connection.exec(`DROP ${what} IF EXISTS ${quoteName(viewName)}`);
}

type Kept = { readonly before: CompiledTable; readonly after: CompiledTable };

/** By way of names that nobody has, as tables may swap theirs. */
function renameTables(connection: SqliteConnection, kept: readonly Kept[]): void {
  const renamed = kept.filter(
    ({ before, after }) => before.kind !== 'insertOnly' && before.viewName !== after.viewName,
  );
  const rename = (from: string, to: string) =>
    connection.exec(`ALTER TABLE ${quoteName(from)} RENAME TO ${quoteName(to)}`);
  for (const [index, { before }] of renamed.entries())
    rename(before.viewName, `sluice_moved_${index}`);
  for (const [index, { after }] of renamed.entries())
    rename(`sluice_moved_${index}`, after.viewName);
}

function changeColumns(
  connection: SqliteConnection,
  { before, after }: Kept,
  change: ColumnChange,
): readonly string[] {
  if (after.kind === 'insertOnly') return [];
  const type = typeNumber(connection, after.name);
  const synced = after.kind === 'synced';
  if (synced) keepDropped(connection, after, type, change.dropped);
  const lost = synced ? [] : change.dropped;
  const warnings = lost.map(
    (name) => `Column "${name}" of the local-only table "${after.name}" is gone with its values`,
  );
  if (change.rebuild) warnings.push(...rebuildTable(connection, before, after));
  if (!change.rebuild) {
    for (const column of after.columns.filter(({ name }) => change.added.includes(name))) {
      connection.exec(`ALTER TABLE ${quoteName(after.viewName)} ADD COLUMN ${columnText(column)}`);
    }
  }
  if (synced) fillAdded(connection, after, type, change.added);
  return warnings;
}

/** Gives the names of what was missing, in lower case. */
function createMissing(
  connection: SqliteConnection,
  wanted: readonly TableObjects[],
): ReadonlySet<string> {
  const existing = existingTexts(connection);
  const missing = wanted
    .flatMap(everyObject)
    .filter(({ name }) => !existing.has(name.toLowerCase()));
  for (const { sql } of missing) connection.exec(sql);
  return new Set(missing.map(({ name }) => name.toLowerCase()));
}

function everyObject(objects: TableObjects): readonly SqlObject[] {
  const { table, idIndex, indexes, triggers, fullText } = objects;
  return [table, ...(idIndex === undefined ? [] : [idIndex]), ...indexes, ...triggers, ...fullText];
}

function existingTexts(connection: SqliteConnection): ReadonlyMap<string, string> {
  const rows = connection
    .prepare('SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL')
    .all();
  return new Map(rows.map(([name, sql]) => [String(name).toLowerCase(), String(sql)]));
}
