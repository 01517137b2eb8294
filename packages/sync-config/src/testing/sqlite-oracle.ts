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

export function ours(evaluate: () => SqliteValue): Outcome {
  try {
    return describeValue(evaluate());
  } catch (error) {
    if (error instanceof EvaluationFailure) return 'error';
    throw error;
  }
}

export function describeValue(value: SqliteValue): Outcome {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return `integer ${value}`;
  if (typeof value === 'number') return `real ${Object.is(value, -0) ? '-0' : value}`;
  if (typeof value === 'string') return `text ${asReadFromSqlite(value)}`;
  return `blob ${Buffer.from(value).toString('hex')}`;
}

/** SQLite's three bytes of a lone surrogate are three replacement characters to better-sqlite3. */
function asReadFromSqlite(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd\ufffd\ufffd');
}
