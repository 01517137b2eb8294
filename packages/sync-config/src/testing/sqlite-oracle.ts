import Database from 'better-sqlite3';
import type { SqliteValue } from '@sluice/model';
import type { Operator } from '../values/dialect.ts';
import { EvaluationFailure } from '../values/failure.ts';

/** What an expression gives, in a form that tells storage classes apart: `integer 1`, `text 1`. */
export type Outcome = string;

/** Asks SQLite itself what an expression gives. */
export class SqliteOracle {
  readonly #database = new Database(':memory:');
  readonly #statements = new Map<string, Database.Statement>();

  /** The result of `expression`, in which `?` stands for the arguments in turn. */
  scalar(expression: string, args: readonly SqliteValue[] = []): Outcome {
    const ask = () => this.#prepare(`SELECT ${expression}`).get(...args) as SqliteValue[];
    return outcomesOf(ask)[0] ?? 'no row';
  }

  /** The rows of a query, one outcome for each value. */
  rows(query: string, args: readonly SqliteValue[]): readonly Outcome[] {
    return outcomesOf(() => (this.#prepare(query).all(...args) as SqliteValue[][]).flat());
  }

  #prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql).raw().safeIntegers();
    this.#statements.set(sql, statement);
    return statement;
  }
}

function outcomesOf(ask: () => readonly SqliteValue[]): readonly Outcome[] {
  try {
    return ask().map(describeValue);
  } catch (error) {
    if (error instanceof Database.SqliteError) return ['error'];
    throw error;
  }
}

/** The result of our operator for these values. */
export function apply(operator: Operator | undefined, args: readonly SqliteValue[]): Outcome {
  if (operator === undefined) return 'no such operator';
  const operands = args.map((_, i) => ({
    evaluate: (slots: readonly SqliteValue[]) => slots[i] ?? null,
    constant: undefined,
  }));
  return ours(() => operator.build(operands)(args));
}

function ours(evaluate: () => SqliteValue): Outcome {
  return outcomesOfOurs(() => [evaluate()])[0] ?? 'no result';
}

export function outcomesOfOurs(evaluate: () => readonly SqliteValue[]): readonly Outcome[] {
  try {
    return evaluate().map(describeValue);
  } catch (error) {
    if (!(error instanceof EvaluationFailure)) throw error;
    return [error.message.includes('surrogate') ? NOT_TEXT : 'error'];
  }
}

/** Text that is not UTF-8 in SQLite, and an error here. */
const NOT_TEXT = 'not text';

export function describeValue(value: SqliteValue): Outcome {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return `integer ${value}`;
  if (typeof value === 'number') return `real ${Object.is(value, -0) ? '-0' : value}`;
  if (typeof value === 'string') return HALF_PAIR.test(value) ? NOT_TEXT : `text ${value}`;
  return `blob ${Buffer.from(value).toString('hex')}`;
}

/** How better-sqlite3 reads the three bytes that SQLite makes of half of a surrogate pair. */
const HALF_PAIR = /\ufffd{3}/;
