import { until } from '@sluice/testing';
import type pg from 'pg';
import { expect } from 'vitest';
import type { Row, StreamClient } from './stream-client.ts';

/** Everything is synced to everybody: what matters here are the tables. */
export const SCHEMA_CONFIG = `
config:
  edition: 3
streams:
  all:
    auto_subscribe: true
    queries:
      - SELECT * FROM items
      - SELECT * FROM "events_%" AS event_rows
      - SELECT * FROM "Mixed Case" AS mixed
      - SELECT * FROM "Other Schema"."Things" AS things
      - SELECT * FROM computed
      - SELECT line AS id, line, n FROM bag
      - SELECT * FROM late
`;

const SETTLE_MS = 15_000;

/** The client's rows of `table` become what the query gives, in any order. */
export async function expectRows(
  client: StreamClient,
  table: string,
  query: () => Promise<readonly Row[]>,
): Promise<void> {
  const expected = sorted(await query());
  let actual: unknown[] = [];
  await until(
    `the rows of ${table}`,
    () => {
      actual = sorted(client.rows(table));
      return JSON.stringify(actual) === JSON.stringify(expected);
    },
    SETTLE_MS,
  ).catch(() => expect(actual).toEqual(expected));
}

function sorted(rows: readonly Row[]): Row[] {
  const texts = rows.map((row) => {
    const names = Object.keys(row).sort();
    return JSON.stringify(Object.fromEntries(names.map((name) => [name, row[name]])));
  });
  return texts.sort().map((text) => JSON.parse(text) as Row);
}

/** Runs small transactions on one table all the time, whatever happens to the table meanwhile. */
export class Churn {
  readonly #sql: pg.Client;
  readonly #statements: readonly string[];
  #paused = false;
  #stopped = false;
  #turn: Promise<void> = Promise.resolve();
  readonly #running: Promise<void>;
  /** Transactions that changed something. */
  applied = 0;

  constructor(sql: pg.Client, statements: readonly string[]) {
    this.#sql = sql;
    this.#statements = statements;
    this.#running = this.#run();
  }

  /** Holds still while `look` compares. */
  async pausedFor(look: () => Promise<void>): Promise<void> {
    this.#paused = true;
    await this.#turn;
    try {
      await look();
    } finally {
      this.#paused = false;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#stopped; i += 1) {
      if (!this.#paused) {
        this.#turn = this.#change(i);
        await this.#turn;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #change(i: number): Promise<void> {
    const statement = this.#statements[i % this.#statements.length] ?? '';
    try {
      await this.#sql.query(statement, [i]);
      this.applied += 1;
    } catch (error) {
      // The table may be away, or may not take this kind of change just now; that is the point.
      if (!/^(42|55|23)/.test(String((error as { code?: unknown }).code))) throw error;
    }
  }
}
