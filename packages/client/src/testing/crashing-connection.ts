import type { SqliteConnection, SqliteStatement } from '../driver/contract.ts';

/** What a process that is killed at some statement leaves: from then on none is run, not even a ROLLBACK. */
export class CrashingConnection implements SqliteConnection {
  readonly #inner: SqliteConnection;
  #count = 0;
  /** Number of the statement that is not run any more, counted from 1 since the last reset. */
  crashAt = Infinity;

  constructor(inner: SqliteConnection) {
    this.#inner = inner;
  }

  /** Statements so far. */
  get count(): number {
    return this.#count;
  }

  get isDead(): boolean {
    return this.#count >= this.crashAt;
  }

  get inTransaction(): boolean {
    return this.#inner.inTransaction;
  }

  prepare(sql: string): SqliteStatement {
    const statement = this.#inner.prepare(sql);
    return {
      sql: statement.sql,
      columns: statement.columns,
      readonly: statement.readonly,
      all: (parameters, integers) => this.#run(() => statement.all(parameters, integers)),
      get: (parameters) => this.#run(() => statement.get(parameters)),
      iterate: (parameters) => this.#run(() => statement.iterate(parameters)),
      run: (parameters) => this.#run(() => statement.run(parameters)),
    };
  }

  exec(sql: string): void {
    this.#run(() => this.#inner.exec(sql));
  }

  defineFunction(...definition: Parameters<SqliteConnection['defineFunction']>): void {
    this.#inner.defineFunction(...definition);
  }

  close(): void {
    this.#inner.close();
  }

  #run<T>(body: () => T): T {
    if (!this.isDead) this.#count += 1;
    if (this.isDead) throw new Error('The process is dead');
    return body();
  }
}
