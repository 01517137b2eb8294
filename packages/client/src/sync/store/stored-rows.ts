import type { SqliteConnection } from '../../driver/contract.ts';
import type { CompiledTable } from '../../schema/compiled-schema.ts';
import { typeNumber } from '../../schema/layout.ts';
import type { SyncedRows } from '../../schema/synced-rows.ts';
import { serverBody } from './server-body.ts';
import { TableWriter } from './table-writer.ts';

const ROWS_AT_ONCE = 1000;

/**
 * Rows of tables that come into the schema or leave it: a body is in the table while there is one, and with
 * its holder in `sluice_row` otherwise. Inside the caller's transaction.
 */
export class StoredRows implements SyncedRows {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  adoptRows(table: CompiledTable): void {
    const hidden = this.#connection.prepare(`SELECT 1 FROM sluice_kv WHERE key = 'hidden'`);
    if (hidden.get() !== undefined) return; // see hidden-rows.ts
    const type = typeNumber(this.#connection, table.name);
    const writer = new TableWriter(this.#connection, table, type);
    // SQLite takes the other columns from the row that has the maximum.
    const newest = this.#connection.prepare(
      `SELECT id, bucket, subkey, data, max(op_id) FROM sluice_row WHERE type = ? AND id > ?
        GROUP BY id ORDER BY id LIMIT ${ROWS_AT_ONCE}`,
    );
    this.#walk(
      (after) => newest.all([type, after]),
      ([id, bucket, subkey, data]) => {
        writer.append(String(id), String(data));
        this.#setData(null, [type, id, bucket, subkey]);
      },
    );
  }

  releaseRows(table: CompiledTable): void {
    const type = typeNumber(this.#connection, table.name);
    const writer = new TableWriter(this.#connection, table, type);
    const shown = this.#connection.prepare(
      `SELECT id, bucket, subkey FROM sluice_row WHERE type = ? AND id > ? AND data IS NULL
        ORDER BY id LIMIT ${ROWS_AT_ONCE}`,
    );
    this.#walk(
      (after) => shown.all([type, after]),
      ([id, bucket, subkey]) => {
        const body = serverBody(this.#connection, { writer, type, id: String(id) });
        this.#setData(body, [type, id, bucket, subkey]);
      },
    );
  }

  #walk(page: (after: string) => SqlRow[], take: (row: SqlRow) => void): void {
    for (let after = ''; ;) {
      const rows = page(after);
      const last = rows.at(-1);
      if (last === undefined) return;
      for (const row of rows) take(row);
      after = String(last[0]);
    }
  }

  #setData(data: string | null, holder: readonly (SqlRow[number] | undefined)[]): void {
    this.#connection
      .prepare(
        'UPDATE sluice_row SET data = ? WHERE type = ? AND id = ? AND bucket = ? AND subkey = ?',
      )
      .run([data, ...holder.map((value) => value ?? null)]);
  }
}

type SqlRow = ReturnType<ReturnType<SqliteConnection['prepare']>['all']>[number];
