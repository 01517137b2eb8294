import Database from 'better-sqlite3';
import type { SqliteValue } from '@sluice/model';
import { COLUMNS, type FuzzRow } from './rows.ts';
import type { Outcome } from './subject.ts';

/** SQLite with the rows in a table `t1` whose columns have no type, numbered from 1. */
export class Oracle {
  readonly #db = new Database(':memory:');

  constructor(rows: readonly FuzzRow[]) {
    this.#db.defaultSafeIntegers(true);
    this.#db.exec(`CREATE TABLE t1 (${COLUMNS.join(', ')})`);
    const insert = this.#db.prepare(`INSERT INTO t1 VALUES (${COLUMNS.map(() => '?').join(', ')})`);
    for (const row of rows) insert.run(row);
  }

  /** Evaluates the first output column of `sql`, a query over `t1`, on rows from `first`. */
  evaluate(sql: string, first: number, count: number): Outcome[] {
    const statement = this.#db.prepare(`${sql} WHERE t1.rowid = ?`).pluck();
    return Array.from({ length: count }, (_, i): Outcome => {
      try {
        const value = statement.get(first + i) as SqliteValue;
        return { kind: 'value', value };
      } catch (error) {
        return { kind: 'error', message: error instanceof Error ? error.message : String(error) };
      }
    });
  }

  /** Whether an expression cannot be evaluated on a row. */
  fails(expression: string, from: string, row: number): boolean {
    try {
      const [outcome] = this.evaluate(`SELECT ${expression} AS v FROM ${from}`, row, 1);
      return outcome?.kind === 'error';
    } catch {
      return false;
    }
  }

  close(): void {
    this.#db.close();
  }
}
