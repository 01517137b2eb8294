import { captureTriggers, insertOnlyTrigger } from '../crud/capture/capture-triggers.ts';
import type { CompiledColumn, CompiledIndex, CompiledTable } from './compiled-schema.ts';
import { fullTextObjects } from './full-text.ts';
import { quoteName } from './sql-text.ts';

/** Something in `sqlite_schema`, with the text that makes it. */
export interface SqlObject {
  readonly type: 'table' | 'view' | 'index' | 'trigger';
  readonly name: string;
  readonly sql: string;
}

/** The SQL objects of one declared table. */
export interface TableObjects {
  readonly table: SqlObject;
  /** The unique index on `id`; undefined for views. Apart from the table, so that a first download can build it last. */
  readonly idIndex: SqlObject | undefined;
  readonly indexes: readonly SqlObject[];
  readonly triggers: readonly SqlObject[];
  /** The full-text index and what keeps it right; empty for none. */
  readonly fullText: readonly SqlObject[];
}

/** `type` is the number of its object type, see `typeNumber`. */
export function tableObjects(table: CompiledTable, type: number): TableObjects {
  if (table.kind === 'insertOnly') {
    const triggers = [insertOnlyTrigger(table)];
    return {
      table: insertOnlyView(table),
      idIndex: undefined,
      indexes: [],
      triggers,
      fullText: [],
    };
  }
  return {
    table: realTable(table, table.viewName),
    idIndex: idIndex(table),
    indexes: table.indexes.map((index) => declaredIndex(table, index)),
    triggers: table.kind === 'synced' ? captureTriggers(table, type) : [],
    fullText: fullTextObjects(table),
  };
}

/** The table itself, under a name of its own while it is rebuilt. */
export function realTable(table: CompiledTable, name: string): SqlObject {
  const metadata = table.trackMetadata ? ['"_metadata"', '"_deleted"'] : [];
  const columns = [
    `"id" TEXT NOT NULL CHECK (typeof("id") = 'text')`,
    ...table.columns.map(columnText),
    ...metadata,
  ];
  return {
    type: 'table',
    name,
    sql: `CREATE TABLE ${quoteName(name)} (${columns.join(', ')})`,
  };
}

export function columnText({ name, type, constraint }: CompiledColumn): string {
  return `${quoteName(name)} ${type}${constraint === '' ? '' : ` ${constraint}`}`;
}

function idIndex({ viewName }: CompiledTable): SqlObject {
  const name = `sluice_id__${viewName}`;
  const sql = `CREATE UNIQUE INDEX ${quoteName(name)} ON ${quoteName(viewName)} ("id")`;
  return { type: 'index', name, sql };
}

function declaredIndex({ viewName }: CompiledTable, index: CompiledIndex): SqlObject {
  const name = `${viewName}__${index.name}`;
  const columns = index.columns.map(
    (column) => quoteName(column.name) + (column.ascending ? '' : ' DESC'),
  );
  const create = index.unique ? 'CREATE UNIQUE INDEX' : 'CREATE INDEX';
  const where = index.where === '' ? '' : ` WHERE ${index.where}`;
  const sql = `${create} ${quoteName(name)} ON ${quoteName(viewName)} (${columns.join(', ')})${where}`;
  return { type: 'index', name, sql };
}

function insertOnlyView({ viewName, columns, trackMetadata }: CompiledTable): SqlObject {
  const shown = [
    'CAST(NULL AS TEXT) AS "id"',
    ...columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoteName(name)}`),
    ...(trackMetadata ? ['NULL AS "_metadata"'] : []),
  ];
  const sql = `CREATE VIEW ${quoteName(viewName)} AS SELECT ${shown.join(', ')} WHERE 0`;
  return { type: 'view', name: viewName, sql };
}
