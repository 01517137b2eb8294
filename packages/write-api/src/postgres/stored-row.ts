import type { SqliteValue } from '@sluice/model';
import { TypeCatalog } from '@sluice/source-postgres';
import type { RowValues, RowWrite } from '../pipeline/row-write.ts';
import { columnText, UnusableValue } from './column-value.ts';
import { tableName } from './entry-statement.ts';
import { cellExpression, rowCells, type WritableTable } from './row-cells.ts';
import { quoteName } from './sql-name.ts';
import type { Statement, StatementResult } from './statement-run.ts';
import type { TargetColumn } from './target-table.ts';

/** Runs statements in the transaction in which the row is read. */
export type Run = (...statements: readonly Statement[]) => Promise<readonly StatementResult[]>;

/** Reads rows as replication gives them: the same code reads the values. */
export class StoredRowReader {
  readonly #types = new TypeCatalog();

  /** The row as it is stored, locked until the transaction ends; undefined if it is not there. */
  async read(run: Run, table: WritableTable, id: string): Promise<RowValues | undefined> {
    const columns = table.storedColumns;
    await this.#ensureTypes(run, columns);
    const [result] = await run(lockingSelect(table, id));
    const row = result?.rows[0];
    if (row === undefined) return undefined;
    const values = columns.map(({ name, typeOid }, at): [string, SqliteValue] => {
      const text = row[at] ?? null;
      return [name, text === null ? null : this.#types.columnType(typeOid).decodeText(text)];
    });
    return new Map<string, SqliteValue>([...values, ['id', id]]);
  }

  /**
   * The write with its values as replication would give them back, so that a rule which compares new
   * and stored values compares like with like. What cannot be read so stays as it is: the database
   * will judge.
   */
  async normalize(run: Run, table: WritableTable, write: RowWrite): Promise<RowWrite> {
    if (write.values.size === 0) return write;
    await this.#ensureTypes(run, table.storedColumns);
    const values = new Map<string, SqliteValue>();
    for (const [name, value] of write.values) {
      const column = table.columns.get(name);
      values.set(name, column === undefined ? value : this.#normalized(column, value));
    }
    return { ...write, values };
  }

  #normalized(column: TargetColumn, value: SqliteValue): SqliteValue {
    if (value === null) return null;
    const { sqliteType } = this.#types.columnType(column.typeOid);
    switch (sqliteType) {
      case 'integer':
        return /^-?\d{1,19}$/.test(String(value)) ? BigInt(String(value)) : value;
      case 'real':
        return typeof value === 'bigint' || (typeof value === 'string' && isNumber(value))
          ? Number(value)
          : value;
      case 'blob':
        return bytesOf(column, value);
      case 'text':
        return typeof value === 'string' || value instanceof Uint8Array ? value : String(value);
    }
  }

  async #ensureTypes(run: Run, columns: readonly TargetColumn[]): Promise<void> {
    const ask = async (text: string) => {
      const [result] = await run(asJson(text));
      const json = result?.rows[0]?.[0] ?? '[]';
      return JSON.parse(json) as readonly Readonly<Record<string, string | null>>[];
    };
    const oids = columns.map((column) => column.typeOid);
    await this.#types.ensure(ask, oids);
  }
}

function lockingSelect(table: WritableTable, id: string): Statement {
  const [key] = rowCells({ ...NO_WRITE, table: table.name, id }, table);
  const columns = table.storedColumns.map((column) => quoteName(column.name)).join(', ');
  const where = `${quoteName(table.idColumn.name)} = ${cellExpression(key, 1)}`;
  const text = `SELECT ${columns} FROM ${tableName(table)} WHERE ${where} FOR UPDATE`;
  return { text, values: [key.text] };
}

const NO_WRITE: RowWrite = {
  op: 'DELETE',
  table: '',
  id: '',
  values: new Map(),
  base: undefined,
  metadata: undefined,
};

function isNumber(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text));
}

function bytesOf(column: TargetColumn, value: SqliteValue): SqliteValue {
  try {
    const text = columnText(column, value);
    return text === null ? null : new Uint8Array(Buffer.from(text.slice(2), 'hex'));
  } catch (error) {
    if (error instanceof UnusableValue) return value;
    throw error;
  }
}

/** Rows as one JSON text, so that names of columns need no description. */
function asJson(text: string): Statement {
  return { text: `SELECT coalesce(json_agg(r), '[]'::json) FROM (${text}) r`, values: [] };
}
