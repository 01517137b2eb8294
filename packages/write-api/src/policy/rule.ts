import type { SqliteValue } from '@sluice/model';
import type { CompiledExpression } from '@sluice/sync-config';
import { databaseRule, type DatabaseRule, type RuleStatement } from './database-rule.ts';
import type { RuleTable } from './rule-table.ts';
import { ruleValues, type RuleRows, type RuleWorld } from './rule-values.ts';

/** An expression of the config, evaluated here or, with a subquery, by the database. */
export class Rule {
  readonly path: readonly (string | number)[];
  readonly text: string;
  readonly #expression: CompiledExpression;
  readonly #asTruth: DatabaseRule | undefined;
  readonly #asText: DatabaseRule | undefined;

  constructor(
    expression: CompiledExpression,
    table: RuleTable,
    source: { readonly path: readonly (string | number)[]; readonly text: string },
  ) {
    this.#expression = expression;
    this.path = source.path;
    this.text = source.text;
    const { database, reads } = expression;
    this.#asTruth = database && databaseRule(database, reads, table, 'truth');
    this.#asText = database && databaseRule(database, reads, table, 'text');
  }

  /** Undefined where the value depends on anything. */
  get constant(): SqliteValue | undefined {
    return this.#expression.constant;
  }

  get isAlwaysTrue(): boolean {
    return this.constant === 1n;
  }

  get readsRows(): boolean {
    return this.#expression.reads.length > 0;
  }

  /** Whether it names this row; '' for columns without a word in front. */
  names(qualifier: 'old' | 'new' | ''): boolean {
    return this.#expression.qualifiers.has(qualifier);
  }

  get columns(): readonly string[] {
    return this.#expression.reads.map(({ column }) => column);
  }

  /** For trying whether the database understands it; undefined for a rule that it is not asked. */
  get trial(): RuleStatement | undefined {
    return this.#asTruth?.(NO_ROWS, NOBODY);
  }

  /** Whether it is true. NULL, and an expression that fails, are not. @throws the database's error. */
  async isTrue(rows: RuleRows, world: RuleWorld): Promise<boolean> {
    if (this.#asTruth === undefined) return this.#expression.isTrue(ruleValues(rows, world));
    const value = await ask(this.#asTruth, rows, world);
    // Where results are read as text, that of true.
    return value === true || value === 't';
  }

  /** @throws ExpressionFailure, or the database's error. */
  async value(rows: RuleRows, world: RuleWorld): Promise<SqliteValue> {
    if (this.#asText === undefined) return this.#expression.evaluate(ruleValues(rows, world));
    const value = await ask(this.#asText, rows, world);
    return typeof value === 'string' ? value : null;
  }
}

const NO_ROWS: RuleRows = { old: undefined, new: undefined, row: undefined };
const NOBODY = {
  caller: { userId: '', claims: { sub: null }, clientId: undefined },
  metadata: undefined,
};

/** The one value. */
async function ask(rule: DatabaseRule, rows: RuleRows, world: RuleWorld): Promise<unknown> {
  const { text, values } = rule(rows, world);
  const result = await world.transaction.query(text, values);
  return result.rows[0]?.['value'];
}
