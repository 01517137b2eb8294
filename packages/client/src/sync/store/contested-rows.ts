import type { SqliteConnection } from '../../driver/contract.ts';

/** More operations than any line has. */
const MAX_LINE_OPS = 2 ** 24;

/** What one operation says of a row that is contested. */
export interface ContestedOp {
  /** Its place in the staged line. */
  readonly at: number;
  /** Whether the table shows this one; if not, its holder keeps the body. */
  readonly isShown: boolean;
}

/**
 * Rows of a first download that came more than once: in several buckets, or changed, or removed again. SQL decides which
 * operations count: the last one of each holder, if it is no removal; and of a row's holders the one with the highest
 * op id is shown, as in row-merge.ts. Temporary tables inside the caller's transaction.
 */
export class ContestedRows {
  /** A temporary table with their ids. */
  readonly ids: string;
  /** A query for who holds them in the end. */
  readonly holders: string;
  readonly #connection: SqliteConnection;
  readonly #decided: string;

  /** `ops` is a query for all operations of the type, as bulk-fill.ts has it, with its parameters. */
  constructor(
    connection: SqliteConnection,
    type: number,
    ops: { readonly sql: string; readonly parameters: readonly (string | number)[] },
  ) {
    this.#connection = connection;
    this.ids = `temp.sluice_contested_${type}`;
    this.#decided = `temp.sluice_decided_${type}`;
    connection.exec(`CREATE TABLE ${this.ids} (id TEXT PRIMARY KEY) WITHOUT ROWID;
      CREATE TABLE ${this.#decided} (line INTEGER, at INTEGER, id TEXT, bucket INTEGER, subkey TEXT, op_id INTEGER, shown INTEGER,
        PRIMARY KEY (line, at)) WITHOUT ROWID`);
    connection
      .prepare(
        `INSERT INTO ${this.ids} SELECT id FROM (${ops.sql}) GROUP BY id HAVING count(*) > 1`,
      )
      .run(ops.parameters);
    connection.prepare(this.#decideText(ops.sql)).run(ops.parameters);
    this.holders = `SELECT id, bucket, subkey, op_id FROM ${this.#decided}`;
  }

  /** Whether the row is one of them. */
  has(id: string): boolean {
    const sql = `SELECT 1 FROM ${this.ids} WHERE id = ?`;
    return this.#connection.prepare(sql).get([id]) !== undefined;
  }

  /** Those operations of a staged line on such rows that count. */
  opsOf(stagedId: number): readonly ContestedOp[] {
    const sql = `SELECT at, shown FROM ${this.#decided} WHERE line = ?`;
    const rows = this.#connection.prepare(sql).all([stagedId]);
    return rows.map(([at, shown]) => ({ at: Number(at), isShown: shown === 1 }));
  }

  drop(): void {
    this.#connection.exec(`DROP TABLE ${this.ids}; DROP TABLE ${this.#decided}`);
  }

  /** Of several operations SQLite takes the columns of the one that has the maximum. */
  #decideText(ops: string): string {
    const lastOfHolder = `SELECT id, bucket, subkey, CAST(op_id AS INTEGER) AS op_id, removed, line, at, max(line * ${MAX_LINE_OPS} + at)
      FROM (${ops}) WHERE id IN (SELECT id FROM ${this.ids}) GROUP BY id, bucket, subkey`;
    return `INSERT INTO ${this.#decided} SELECT line, at, id, bucket, subkey, op_id,
        row_number() OVER (PARTITION BY id ORDER BY op_id DESC, line DESC, at DESC) = 1
      FROM (${lastOfHolder}) WHERE removed IS NULL`;
  }
}
