import { AppError, type Logger } from '@sluice/base';
import type { TableRules } from '../config/write-api-config.ts';
import type { TableSteps, TransactionStep } from '../pipeline/table-steps.ts';
import { formatProblem, type PolicyProblem } from './policy-problem.ts';
import type { RuleTable } from './rule-table.ts';
import type { TablePolicy } from './table-policy.ts';
import { tableSteps, type CompiledTableRules, type WriteRulesOptions } from './table-rules.ts';

export interface LiveRulesOptions extends WriteRulesOptions {
  readonly logger: Logger;
}

/**
 * The rules of the configuration on the tables as they are now. Who reads the definitions of tables
 * calls `learn`; rules are compiled again when a definition is another one. A table whose rules do not
 * fit it any more takes no writes until they do: clients keep theirs, and nothing passes unchecked.
 */
export class LiveRules {
  readonly #rules: ReadonlyMap<string, TableRules>;
  readonly #options: LiveRulesOptions;
  readonly #known = new Map<
    string,
    { readonly definition: string; readonly rules: CompiledTableRules | undefined }
  >();
  readonly #steps = new Map<string, TableSteps>();

  constructor(rules: ReadonlyMap<string, TableRules>, options: LiveRulesOptions) {
    this.#rules = rules;
    this.#options = options;
    for (const [name, own] of rules) {
      if (!isFree(own)) this.#steps.set(name, this.#stepsOf(name));
    }
  }

  /** Compiles against the schema at start. Gives the problems, which end it when one is an error. */
  check(schema: ReadonlyMap<string, RuleTable>): readonly PolicyProblem[] {
    const { problems, tables } = tableSteps(this.#rules, schema, this.#options);
    for (const [name, table] of schema) this.#keep(name, table, tables.get(name));
    return problems;
  }

  /** @param tables Those that were looked for and exist; `missing`: those that do not. */
  learn(tables: ReadonlyMap<string, RuleTable>, missing: Iterable<string> = []): void {
    for (const name of missing) {
      if (!this.#rules.has(name) || !this.#known.delete(name)) continue;
      const message = `The table ${name}, which has rules, is not there any more`;
      this.#options.logger.warn('write_rules_table_missing', { table: name, message });
    }
    for (const [name, table] of tables) {
      if (this.#rules.has(name) && this.#known.get(name)?.definition !== definitionOf(table)) {
        this.#compile(name, table);
      }
    }
  }

  /** What writes of a table go through; undefined where nothing restricts them. */
  stepsOf(table: string): TableSteps | undefined {
    return this.#steps.get(table);
  }

  /** Undefined where there are no rules, or they do not fit the table. */
  policyOf(table: string): TablePolicy | undefined {
    return this.#known.get(table)?.rules?.policy;
  }

  #compile(name: string, table: RuleTable): void {
    const rules = this.#rules.get(name);
    if (rules === undefined) return;
    const { problems, tables } = tableSteps(
      new Map([[name, rules]]),
      new Map([[name, table]]),
      this.#options,
    );
    this.#keep(name, table, tables.get(name));
    for (const problem of problems) {
      const message = formatProblem(problem, problem.path.join('.'));
      this.#options.logger.warn('write_rules_problem', {
        table: name,
        code: problem.code,
        message,
      });
    }
  }

  #keep(name: string, table: RuleTable, rules: CompiledTableRules | undefined): void {
    this.#known.set(name, { definition: definitionOf(table), rules });
  }

  /** Always the same object, which uses the rules as they are at each write. */
  #stepsOf(name: string): TableSteps {
    const run: TransactionStep = async (write, stored, caller, transaction) => {
      let current: typeof write | undefined = write;
      for (const step of this.#compiled(name).steps) {
        current = await step(current, stored, caller, transaction);
        if (current === undefined) return undefined;
      }
      return current;
    };
    const needsStored: CompiledTableRules['needsStored'] = (op) =>
      this.#compiled(name).needsStored(op);
    return { bundles: [{ steps: [run], needsStored }] };
  }

  #compiled(name: string): CompiledTableRules {
    const rules = this.#known.get(name)?.rules;
    if (rules !== undefined) return rules;
    throw new AppError('UPLOAD_UNAVAILABLE', `The rules of the table ${name} do not fit it`);
  }
}

/** Whether the rules restrict and change nothing, so that writes need not be looked at one by one. */
function isFree(rules: TableRules): boolean {
  return (
    [rules.insert, rules.update, rules.updateCheck ?? 'true', rules.delete].every(
      (text) => text.trim().toLowerCase() === 'true',
    ) &&
    rules.insertColumns === undefined &&
    rules.updateColumns === undefined &&
    [rules.required, rules.immutable, rules.validate].every((list) => list.length === 0) &&
    rules.setOnInsert.size + rules.setOnUpdate.size === 0 &&
    rules.conflict.kind === 'last_write_wins'
  );
}

function definitionOf(table: RuleTable): string {
  return JSON.stringify([...table.columns.values()]);
}
