import { SqlError } from '../../errors.ts';
import type { SqliteConnection, SqliteStatement } from '../../driver/contract.ts';
import type { CompiledTable } from '../../schema/compiled-schema.ts';
import { refillFullText } from '../../schema/full-text.ts';
import { quoteName } from '../../schema/sql-text.ts';
import type { StagedOp } from './staged-ops.ts';
import type { TableWriter } from './table-writer.ts';

/**
 * The first download of a table: rows are appended to it without indexes and capture triggers, which come back at
 * the end; and so are their holders. Several times as fast as row by row, but only for rows that have one holder and came
 * once: `finish` says whether that was so. Inside a savepoint of the caller's, who goes back to it if not.
 */
export class BulkFill {
  readonly #connection: SqliteConnection;
  readonly #table: CompiledTable;
  readonly #type: number;
  readonly #writer: TableWriter;
  /** Texts of what was taken off the table. */
  readonly #objects: readonly string[];
  /** Holders in order of arrival. */
  readonly #fresh: string;
  readonly #hold: SqliteStatement;

  constructor(
    connection: SqliteConnection,
    target: { readonly type: number; readonly writer: TableWriter },
  ) {
    this.#connection = connection;
    this.#writer = target.writer;
    this.#table = target.writer.table;
    this.#type = target.type;
    this.#fresh = `temp.sluice_fresh_${target.type}`;
    connection.exec(`CREATE TABLE ${this.#fresh} (id, bucket, subkey, op_id)`);
    this.#objects = this.#takeOff();
    this.#hold = connection.prepare(`INSERT INTO ${this.#fresh} VALUES (?, ?, ?, ?)`);
  }

  /** A staged line that has rows of this type only. */
  appendLine(stagedId: number): void {
    this.#writer.appendLine(stagedId);
  }

  append(bucket: number, op: StagedOp, data: string): void {
    this.#writer.append(op.objectId, data);
    this.#hold.run([op.objectId, bucket, op.subkey, op.opId]);
  }

  /** Whether every row came once. If not, everything since the savepoint is void. The staged lines up to `priority` are those that were appended. */
  finish(priority: number): boolean {
    try {
      for (const sql of this.#objects) this.#connection.exec(sql);
      refillFullText(this.#connection, this.#table);
    } catch (error) {
      if (error instanceof SqlError && error.sqliteCode.startsWith('SQLITE_CONSTRAINT'))
        return false;
      throw error;
    }
    this.#connection
      .prepare(
        `INSERT INTO sluice_row SELECT ?, id, bucket, subkey, op_id, NULL FROM (
            SELECT o.value ->> 2 AS id, s.bucket, o.value ->> 3 AS subkey, o.value ->> 0 AS op_id
              FROM sluice_staged AS s JOIN sluice_bucket AS b ON b.id = s.bucket, jsonb_each(s.ops) AS o
              WHERE s.type = ? AND b.priority <= ?
            UNION ALL SELECT id, bucket, subkey, op_id FROM ${this.#fresh}) ORDER BY id`,
      )
      .run([this.#type, this.#table.name, priority]);
    this.#connection.exec(`DROP TABLE ${this.#fresh}`);
    return true;
  }

  /** An app's own triggers stay, and see the rows come. */
  #takeOff(): readonly string[] {
    const objects = this.#connection
      .prepare(
        `SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE AND sql IS NOT NULL
          AND (type = 'index' OR type = 'trigger' AND name LIKE 'sluice\\_%' ESCAPE '\\') ORDER BY type, name`,
      )
      .all([this.#table.viewName]);
    for (const [type, name] of objects) {
      this.#connection.exec(`DROP ${String(type)} ${quoteName(String(name))}`);
    }
    return objects.map(([, , sql]) => String(sql));
  }
}
