import type { IntegerMode } from '../driver/integer-mode.ts';
import type { StatementResult } from '../database/writer-session.ts';
import type { RawRows } from '../watch/query-runner.ts';

/** How a result comes. */
export interface ResultOptions {
  /** `auto` if left out. */
  readonly integers?: IntegerMode | undefined;
}

/** What a transaction of an app needs of whoever runs it, on this thread (at once) or on another (later). */
export interface TransactionStatements {
  execute(
    sql: string,
    parameters: readonly unknown[],
    options?: ResultOptions,
  ): StatementResult | Promise<StatementResult>;
  executeBatch(
    sql: string,
    parameterSets: readonly (readonly unknown[])[],
  ): RowsAffected | Promise<RowsAffected>;
  savepoint(name: string): void | Promise<void>;
  /** Forgets the savepoint and keeps what came after it. */
  release(name: string): void | Promise<void>;
  /** Takes back what came after the savepoint, and forgets it; nothing where a statement that failed took back everything. */
  undo(name: string): void | Promise<void>;
  commit(): void | Promise<void>;
  rollback(): void | Promise<void>;
}

export interface RowsAffected {
  readonly rowsAffected: number;
}

/** What a transaction that only reads needs. */
export interface ReadStatements {
  select(
    sql: string,
    parameters: readonly unknown[],
    options?: ResultOptions,
  ): RawRows | Promise<RawRows>;
}
