import type { SqliteConnection, SqliteStatement, SqlValue } from '../../driver/contract.ts';
import type { CompiledColumn, CompiledTable } from '../../schema/compiled-schema.ts';
import { presentColumnsJson } from '../../schema/row-json.ts';
import { quoteName, quoteText } from '../../schema/sql-text.ts';
import { readRow } from './row-values.ts';

/** Puts downloaded rows into one table; capture is off meanwhile. */
export class TableWriter {
  readonly table: CompiledTable;
  readonly #type: number;
  readonly #connection: SqliteConnection;
  readonly #insert: SqliteStatement;
  /** Made when it is first needed: there is no index on `id` while a table is filled. */
  #upsert: SqliteStatement | undefined;
  readonly #delete: SqliteStatement;
  readonly #columns: SqliteStatement;
  readonly #rest: SqliteStatement;
  readonly #putRest: SqliteStatement;
  readonly #dropRest: SqliteStatement;

  constructor(connection: SqliteConnection, table: CompiledTable, type: number) {
    this.#connection = connection;
    this.table = table;
    this.#type = type;
    const name = quoteName(table.viewName);
    this.#insert = connection.prepare(insertText(table));
    this.#delete = connection.prepare(`DELETE FROM ${name} WHERE "id" = ?`);
    this.#columns = connection.prepare(
      `SELECT ${presentColumnsJson(table.columns, 'r')} FROM ${name} AS r WHERE r."id" = ?`,
    );
    this.#rest = connection.prepare('SELECT data FROM sluice_rest WHERE type = ? AND id = ?');
    this.#putRest = connection.prepare(
      `INSERT OR REPLACE INTO sluice_rest VALUES (?, ?, ${restText('json_remove', '?', table)})`,
    );
    this.#dropRest = connection.prepare('DELETE FROM sluice_rest WHERE type = ? AND id = ?');
  }

  /** Values by column, in the table's order. */
  write(id: string, data: string): readonly SqlValue[] {
    const { values, hasRest } = readRow(data, this.table.columns);
    this.#upsert ??= this.#connection.prepare(upsertText(this.table));
    this.#upsert.run([id, ...values]);
    if (hasRest) this.#putRest.run([this.#type, id, data]);
    else this.#dropRest.run([this.#type, id]);
    return values;
  }

  /** A row that is not there, for all the caller knows. */
  append(id: string, data: string): void {
    const { values, hasRest } = readRow(data, this.table.columns);
    this.#insert.run([id, ...values]);
    if (hasRest) this.#putRest.run([this.#type, id, data]);
  }

  /**
   * The same for all rows of a staged line (staged-ops.ts), without a step outside of SQLite for each, but for those whose id is in the table
   * `except`. Where `readRow` and this differ, SQLite keeps more: how numbers within nested JSON were written.
   */
  lineAppender(except: string | undefined): (stagedId: number) => void {
    const rows =
      except === undefined ? LINE : `${LINE} AND e.key NOT IN (SELECT id FROM ${except})`;
    const append = this.#connection.prepare(appendLineText(this.table, rows));
    const putRest = this.#connection.prepare(putRestOfLineText(this.table, rows));
    return (stagedId) => {
      append.run([stagedId]);
      putRest.run([this.#type, stagedId]);
    };
  }

  remove(id: string): void {
    this.#delete.run([id]);
    this.#dropRest.run([this.#type, id]);
  }

  /** JSON of the row as the table has it, with what the schema has no column for. */
  bodyOf(id: string): string | undefined {
    const row = this.#columns.get([id]);
    return row === undefined ? undefined : mergeObjects(String(row[0]), this.restOf(id));
  }

  /** JSON of what the schema has no column for. */
  restOf(id: string): string {
    return String(this.#rest.get([this.#type, id])?.[0] ?? '{}');
  }
}

/** One JSON object of the members of two. */
export function mergeObjects(first: string, second: string): string {
  if (first === '{}') return second;
  if (second === '{}') return first;
  return `${first.slice(0, -1)},${second.slice(1)}`;
}

function insertText({ viewName, columns }: CompiledTable): string {
  const names = ['"id"', ...columns.map(({ name }) => quoteName(name))];
  return `INSERT INTO ${quoteName(viewName)} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
}

function upsertText(table: CompiledTable): string {
  const sets = table.columns.map(({ name }) => `${quoteName(name)} = excluded.${quoteName(name)}`);
  const change = sets.length === 0 ? 'DO NOTHING' : `DO UPDATE SET ${sets.join(', ')}`;
  return `${insertText(table)} ON CONFLICT ("id") ${change}`;
}

/** SQL functions take so many arguments at least. */
const MEMBERS_AT_ONCE = 50;

/** What is left of a row's JSON without the columns of the table; numbers as they were written. */
function restText(remove: string, body: string, { columns }: CompiledTable): string {
  const paths = ['id', ...columns.map(({ name }) => name)].map(pathText);
  let text = body;
  for (let start = 0; start < paths.length; start += MEMBERS_AT_ONCE) {
    text = `${remove}(${text}, ${paths.slice(start, start + MEMBERS_AT_ONCE).join(', ')})`;
  }
  return text;
}

/** Removals have null for a body. */
const LINE = `FROM sluice_staged AS s, jsonb_each(s.bodies) AS e WHERE s.id = ? AND e.type <> 'null'`;

function appendLineText({ viewName, columns }: CompiledTable, rows: string): string {
  const names = ['"id"', ...columns.map(({ name }) => quoteName(name))];
  const values = ['e.key', ...columns.map(memberText)];
  return `INSERT INTO ${quoteName(viewName)} (${names.join(', ')}) SELECT ${values.join(', ')} ${rows}`;
}

/** A number for a TEXT column is its digits as they were written. */
function memberText({ name, type }: CompiledColumn): string {
  const path = pathText(name);
  const value = `e.value ->> ${path}`;
  if (type !== 'TEXT') return value;
  return `CASE WHEN json_type(e.value, ${path}) IN ('integer', 'real') THEN e.value -> ${path} ELSE ${value} END`;
}

function putRestOfLineText(table: CompiledTable, rows: string): string {
  const rest = `${restText('jsonb_remove', 'e.value', table)} ->> '$'`;
  return `INSERT OR REPLACE INTO sluice_rest SELECT ?, e.key, ${rest} AS rest ${rows} AND rest <> '{}'`;
}

function pathText(name: string): string {
  return quoteText(`$."${name}"`);
}
