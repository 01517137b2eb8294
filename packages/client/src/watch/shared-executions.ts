import type { ClientClock } from '../clock.ts';
import type { StatementReads } from '../changes/statement-analyzer.ts';
import { normalizeParameters } from '../database/parameters.ts';
import type { SqlParameter } from '../driver/contract.ts';
import { LiveExecution } from './live-execution.ts';
import type { QueryRunner } from './query-runner.ts';
import { rowSetOf, type RowSet } from './row-set.ts';

export interface LiveStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly throttleMs: number;
  /** Instead of what the query reads: run for any change of these. */
  readonly tables: readonly string[] | undefined;
}

/** Gives everyone who watches the same statement, parameters and settings the same execution. */
export class SharedExecutions {
  readonly #runner: QueryRunner;
  readonly #clock: ClientClock;
  readonly #shared = new Map<string, LiveExecution<RowSet>>();

  constructor(runner: QueryRunner, clock: ClientClock) {
    this.#runner = runner;
    this.#clock = clock;
  }

  /** How many different executions are live. */
  get size(): number {
    return this.#shared.size;
  }

  /** @throws ClientError `PARAMETER` */
  execution(statement: LiveStatement): LiveExecution<RowSet> {
    const parameters = normalizeParameters(statement.parameters);
    const key = keyOf(statement, parameters);
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const execution = this.#execution(
      statement,
      (signal) => this.#runner.run(statement.sql, parameters, signal).then(rowSetOf),
      () => this.#shared.delete(key),
    );
    this.#shared.set(key, execution);
    return execution;
  }

  /**
   * One that runs in its own way, so nobody shares it; what it reads comes from its SQL.
   *
   * @throws ClientError `PARAMETER`
   */
  custom<Result>(statement: LiveStatement, run: () => Promise<Result>): LiveExecution<Result> {
    return this.#execution(statement, run, () => undefined);
  }

  #execution<Result>(
    { sql, tables, throttleMs, ...statement }: LiveStatement,
    run: (signal: AbortSignal) => Promise<Result>,
    onStopped: () => void,
  ): LiveExecution<Result> {
    const analyse = () =>
      tables === undefined ? this.#runner.analyse(sql) : Promise.resolve(wholeTables(tables));
    const { changes } = this.#runner;
    const parameters = normalizeParameters(statement.parameters);
    const clock = this.#clock;
    return new LiveExecution({ run, analyse, parameters, changes, clock, throttleMs, onStopped });
  }
}

function wholeTables(names: readonly string[]): StatementReads {
  return { tables: new Map(names.map((name) => [name.toLowerCase(), 'all'])), filter: undefined };
}

function keyOf(
  { sql, throttleMs, tables }: LiveStatement,
  parameters: readonly SqlParameter[],
): string {
  const values = parameters.map((value) => {
    if (value instanceof Uint8Array) return ['bytes', ...value];
    return [typeof value, Object.is(value, -0) ? '-0' : String(value)];
  });
  return JSON.stringify([sql, throttleMs, tables?.toSorted() ?? null, values]);
}
