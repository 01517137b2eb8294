import type { SqliteConnection } from '../../driver/contract.ts';
import type { CompiledTable } from '../../schema/compiled-schema.ts';
import { refillFullText } from '../../schema/full-text.ts';
import { quoteName } from '../../schema/sql-text.ts';
import { ContestedRows } from './contested-rows.ts';
import type { StagedOp } from './staged-ops.ts';
import type { TableWriter } from './table-writer.ts';

/** A staged line whose operations are read when they are needed. */
export interface FillLine {
  readonly id: number;
  readonly bucket: number;
  /** Whether SQLite reads the bodies exactly. */
  readonly isPlain: boolean;
  readonly ops: () => readonly StagedOp[];
}

export interface FillTarget {
  /** Number of the object type. */
  readonly type: number;
  readonly writer: TableWriter;
  /** Staged lines of buckets up to this priority are those that will be appended. */
  readonly priority: number;
}

/** All operations on rows of a type: in SQL's hands from the start, a tenth of their bodies in size. */
const OPS = `SELECT o.value ->> 1 AS id, s.bucket AS bucket, o.value ->> 2 AS subkey, o.value ->> 0 AS op_id,
    o.value ->> 3 AS removed, s.id AS line, o.key AS at
  FROM sluice_staged AS s JOIN sluice_bucket AS b ON b.id = s.bucket, jsonb_each(s.ops) AS o
  WHERE s.type = ? AND b.priority <= ?`;

/**
 * The first download of a table, several times as fast as row by row: who holds which row is written at once and in order, then rows are
 * appended line by line, without indexes and capture triggers, which come back at the end. Rows that came more than
 * once go their own way (contested-rows.ts). Inside the caller's transaction.
 */
export class BulkFill {
  readonly #connection: SqliteConnection;
  readonly #target: FillTarget;
  readonly #table: CompiledTable;
  readonly #contested: ContestedRows | undefined;
  /** Texts of what was taken off the table. */
  readonly #objects: readonly string[];
  readonly #appendLine: (stagedId: number) => void;

  /** The table is one for which `canFill` holds. */
  constructor(connection: SqliteConnection, target: FillTarget) {
    this.#connection = connection;
    this.#target = target;
    this.#table = target.writer.table;
    this.#contested = this.#putHolders();
    this.#objects = this.#takeOff();
    this.#appendLine = target.writer.lineAppender(this.#contested?.ids);
  }

  get objectType(): string {
    return this.#table.name;
  }

  /** Whether there are rows that came more than once. */
  get isContested(): boolean {
    return this.#contested !== undefined;
  }

  append(line: FillLine): void {
    if (line.isPlain) this.#appendLine(line.id);
    else this.#appendEach(line);
    const contested = this.#contested?.opsOf(line.id) ?? [];
    if (contested.length === 0) return;
    const ops = line.ops();
    for (const { at, isShown } of contested) {
      const op = ops[at];
      if (op !== undefined) this.#appendContested(line.bucket, op, isShown);
    }
  }

  /** All lines have been appended. */
  finish(): void {
    for (const sql of this.#objects) this.#connection.exec(sql);
    refillFullText(this.#connection, this.#table);
    this.#contested?.drop();
  }

  #appendEach(line: FillLine): void {
    for (const { objectId, data } of line.ops()) {
      if (data === null || this.#contested?.has(objectId) === true) continue;
      this.#target.writer.append(objectId, data);
    }
  }

  #appendContested(bucket: number, { objectId, subkey, data }: StagedOp, isShown: boolean): void {
    if (data === null) return;
    if (isShown) return this.#target.writer.append(objectId, data);
    this.#connection
      .prepare(
        'UPDATE sluice_row SET data = ? WHERE type = ? AND id = ? AND bucket = ? AND subkey = ?',
      )
      .run([data, this.#target.type, objectId, bucket, subkey]);
  }

  /** Mostly each row has come once, so that is tried first. Returns those that have not. */
  #putHolders(): ContestedRows | undefined {
    const { type } = this.#target;
    const expected = this.#expected();
    if (expected !== undefined) {
      if (this.#put(OPS) === expected && !this.#isAnyHeldTwice()) return undefined;
      this.#connection.prepare('DELETE FROM sluice_row WHERE type = ?').run([type]);
    }
    const parameters = this.#parameters;
    const contested = new ContestedRows(this.#connection, type, { sql: OPS, parameters });
    const others = `SELECT id, bucket, subkey, op_id FROM (${OPS}) WHERE removed IS NULL AND id NOT IN (SELECT id FROM ${contested.ids})`;
    this.#put(`${others} UNION ALL ${contested.holders}`);
    return contested;
  }

  /** Returns how many there are. */
  #put(holders: string): number {
    const sql = `INSERT OR IGNORE INTO sluice_row SELECT ?, id, bucket, subkey, op_id, NULL FROM (${holders}) ORDER BY id`;
    return this.#connection.prepare(sql).run([this.#target.type, ...this.#parameters]).changes;
  }

  /** How many holders there are if each row comes once; undefined if it is known that they do not, as rows go. */
  #expected(): number | undefined {
    const sql = `SELECT sum(s.puts), sum(s.removals) FROM sluice_staged AS s JOIN sluice_bucket AS b ON b.id = s.bucket
      WHERE s.type = ? AND b.priority <= ?`;
    const [puts, removals] = this.#connection.prepare(sql).get(this.#parameters) ?? [];
    return removals === 0 ? Number(puts) : undefined;
  }

  #isAnyHeldTwice(): boolean {
    const sql =
      'SELECT EXISTS (SELECT 1 FROM sluice_row WHERE type = ? GROUP BY id HAVING count(*) > 1)';
    return this.#connection.prepare(sql).get([this.#target.type])?.[0] === 1;
  }

  get #parameters(): readonly (string | number)[] {
    return [this.#table.name, this.#target.priority];
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

/**
 * Whether nothing is in the table, or was; and whether it has no constraint that needs an index of its own, as that cannot be
 * taken off, and would be asked of every row in between rather than of those that stay.
 */
export function canFill(
  connection: SqliteConnection,
  type: number,
  { viewName }: CompiledTable,
): boolean {
  const sql = `SELECT EXISTS (SELECT 1 FROM ${quoteName(viewName)}) OR EXISTS (SELECT 1 FROM sluice_row WHERE type = ?)
    OR EXISTS (SELECT 1 FROM sluice_shadow WHERE type = ?)
    OR EXISTS (SELECT 1 FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE AND type = 'index' AND sql IS NULL)`;
  return connection.prepare(sql).get([type, type, viewName])?.[0] === 0;
}
