import type { CompiledSchema, CompiledTable } from './compiled-schema.ts';

/** How the tables of one schema become those of another. Tables are the same if their synced names are. */
export interface SchemaChange {
  /** Those that go, or come back as something else. */
  readonly removed: readonly CompiledTable[];
  readonly kept: readonly { readonly before: CompiledTable; readonly after: CompiledTable }[];
  readonly added: readonly CompiledTable[];
}

/**
 * A table that changes between synced, local-only and insert-only is another table: rows of a synced one wait aside for
 * its return, rows of a local-only one are lost.
 */
export function planSchemaChange(before: CompiledSchema, after: CompiledSchema): SchemaChange {
  const former = new Map(before.tables.map((table) => [table.name, table]));
  const kept = after.tables.flatMap((table) => {
    const old = former.get(table.name);
    return old?.kind === table.kind ? [{ before: old, after: table }] : [];
  });
  const stays = new Set(kept.map(({ after: { name } }) => name));
  return {
    removed: before.tables.filter(({ name }) => !stays.has(name)),
    kept,
    added: after.tables.filter(({ name }) => !stays.has(name)),
  };
}

/** Local-only tables whose rows a change would lose. */
export function lostTables(change: SchemaChange): readonly CompiledTable[] {
  return change.removed.filter(({ kind }) => kind === 'local');
}

export interface ColumnChange {
  readonly added: readonly string[];
  readonly dropped: readonly string[];
  /** Whether the table must be made anew, rather than get columns at its end. */
  readonly rebuild: boolean;
}

/** Undefined if the columns are the same. A name in other case is another column, as it is another key in the rows that are synced. */
export function planColumnChange(
  before: CompiledTable,
  after: CompiledTable,
): ColumnChange | undefined {
  const text = (table: CompiledTable) => JSON.stringify([table.columns, table.trackMetadata]);
  if (text(before) === text(after)) return undefined;
  const names = (table: CompiledTable) => table.columns.map(({ name }) => name);
  const [old, current] = [names(before), names(after)];
  const end = after.columns.slice(old.length);
  const onlyAtEnd =
    text({ ...after, columns: after.columns.slice(0, old.length) }) === text(before);
  return {
    added: current.filter((name) => !old.includes(name)),
    dropped: old.filter((name) => !current.includes(name)),
    rebuild: !onlyAtEnd || after.trackMetadata || end.some(({ constraint }) => constraint !== ''),
  };
}
