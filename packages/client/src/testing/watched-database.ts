import type { ChangeSet } from '../changes/change-set.ts';
import { StatementAnalyzer } from '../changes/statement-analyzer.ts';
import type { ChangeEvent, QueryRunner } from '../watch/query-runner.ts';
import { testDatabase, type TestDatabase } from './database.ts';
import { tableOf } from './tables.ts';

export interface Run {
  readonly sql: string;
  readonly signal: AbortSignal;
}

/** What `WatchedDatabase.slow` stops runs at. */
export interface Gate {
  readonly waiting: number;
  /** Lets every waiting run go on, and later ones pass. */
  open(): void;
}

/** A database that live queries can watch, without threads: `runs` tells what was run. */
export class WatchedDatabase implements QueryRunner {
  readonly database: TestDatabase = testDatabase([
    tableOf('tasks', ['title TEXT', 'done INTEGER'], { trackPrevious: ['title', 'done'] }),
    tableOf('lists', ['name TEXT']),
  ]);
  readonly runs: Run[] = [];
  readonly #analyzer = new StatementAnalyzer(this.database.connection);
  readonly #listeners = new Set<(event: ChangeEvent) => void>();
  #before: () => Promise<void> = () => Promise.resolve();

  readonly changes = {
    subscribe: (listener: (event: ChangeEvent) => void) => {
      this.#listeners.add(listener);
      return () => void this.#listeners.delete(listener);
    },
  };

  get listenerCount(): number {
    return this.#listeners.size;
  }

  async run(sql: string, parameters: readonly never[], signal: AbortSignal) {
    this.runs.push({ sql, signal });
    const { connection } = this.database;
    const statement = connection.prepare(sql);
    const result = { columns: statement.columns, rows: statement.all(parameters) };
    await this.#before();
    return result;
  }

  analyse(sql: string) {
    return Promise.resolve().then(() => this.#analyzer.reads(sql));
  }

  write(sql: string, parameters: readonly unknown[] = []): void {
    const { committed } = this.database.session.execute(sql, parameters);
    if (committed !== undefined) this.tell({ kind: 'committed', changes: committed });
  }

  commit(changes: ChangeSet): void {
    this.tell({ kind: 'committed', changes });
  }

  tell(event: ChangeEvent): void {
    for (const listener of Array.from(this.#listeners)) listener(event);
  }

  /** From now on every run waits at the gate with its result in hand. */
  slow(): Gate {
    const waiting: (() => void)[] = [];
    this.#before = () => new Promise((resolve) => waiting.push(resolve));
    return {
      get waiting() {
        return waiting.length;
      },
      open: () => {
        this.#before = () => Promise.resolve();
        for (const go of waiting.splice(0)) go();
      },
    };
  }

  /** Every run takes that long. */
  lasting(wait: () => Promise<void>): void {
    this.#before = wait;
  }
}
