import {
  compileExpression,
  closest,
  type CompiledExpression,
  type ExpressionScope,
} from '@sluice/sync-config';
import { ProblemList, type FindPlace, type PolicyProblem } from './policy-problem.ts';
import type { TableRules } from '../config/write-api-config.ts';
import type { RuleTable } from './rule-table.ts';
import { Rule } from './rule.ts';
import { TablePolicy, type PolicyWorld } from './table-policy.ts';
import { UpdateRule } from './update-rule.ts';

export interface CompilePolicyOptions extends PolicyWorld {
  /** Below the section of the write API, e.g. `['tables', 'lists']`; for problems. */
  readonly path: readonly (string | number)[];
  readonly findPlace?: FindPlace | undefined;
  /** Columns that the server writes for other reasons, e.g. a version. */
  readonly serverColumns?: readonly string[] | undefined;
  /** Columns whose stored values are compared with what clients send. */
  readonly comparedColumns?: readonly string[] | undefined;
}

/**
 * Compiles the rules of one table against its columns. Reports all problems at once and never throws;
 * the policy is missing when there is an error, so that nothing is served half protected.
 *
 * @param table Undefined: the columns are not known, so only the expressions' language is checked.
 */
export function compileTablePolicy(
  rules: TableRules,
  table: RuleTable | undefined,
  options: CompilePolicyOptions,
): { readonly problems: readonly PolicyProblem[]; readonly policy: TablePolicy | undefined } {
  const compiler = new PolicyCompiler(rules, table, options);
  const policy = compiler.compile();
  return { problems: compiler.problems, policy };
}

type Path = readonly (string | number)[];

/** Which rows there are for an expression, and why others are not. */
const SCOPES = {
  insert: { words: ['new'], bare: 'row', old: 'An insert has no old row: write new.column' },
  update: { words: ['old', 'new'], bare: 'row' },
  delete: { words: ['old'], bare: 'row', new: 'A deletion leaves no new row: write old.column' },
  read: { words: [], bare: 'row', old: 'Write the column alone', new: 'Write the column alone' },
} as const;

type ScopeName = keyof typeof SCOPES;

class PolicyCompiler {
  readonly #rules: TableRules;
  readonly #table: RuleTable;
  readonly #isKnown: boolean;
  readonly #options: CompilePolicyOptions;
  readonly #problems: ProblemList;

  constructor(rules: TableRules, table: RuleTable | undefined, options: CompilePolicyOptions) {
    this.#rules = rules;
    this.#isKnown = table !== undefined;
    this.#table = table ?? { name: String(options.path.at(-1)), columns: new Map() };
    this.#options = options;
    this.#problems = new ProblemList(options.findPlace ?? (() => undefined));
  }

  get problems(): readonly PolicyProblem[] {
    return this.#problems.list;
  }

  compile(): TablePolicy | undefined {
    const rules = this.#rules;
    const insert = this.#rule(rules.insert, 'insert', ['insert']);
    const isPair = rules.updateCheck !== undefined;
    const using = this.#rule(rules.update, 'update', isPair ? ['update', 'using'] : ['update']);
    const check = isPair && this.#rule(rules.updateCheck, 'update', ['update', 'check']);
    const remove = this.#rule(rules.delete, 'delete', ['delete']);
    const read = rules.read === undefined ? false : this.#rule(rules.read, 'read', ['read']);
    const setOnInsert = this.#assignments(rules.setOnInsert, 'insert');
    const setOnUpdate = this.#assignments(rules.setOnUpdate, 'update');
    const validate = rules.validate.map(({ check: text, message, code }, i) => {
      const rule = this.#rule(text, 'update', ['validate', i, 'check']);
      return rule && { rule, message, code };
    });
    this.#checkColumns();
    if (this.#problems.hasErrors || !this.#isKnown) return undefined;
    if (!insert || !using || check === undefined || !remove || read === undefined) return undefined;
    return new TablePolicy({
      table: this.#table,
      rules,
      insert,
      update: new UpdateRule(using, check || undefined),
      delete: remove,
      read: read || undefined,
      setOnInsert,
      setOnUpdate,
      validate: validate.filter((validation) => validation !== undefined),
      serverColumns: new Set(this.#options.serverColumns),
      comparedColumns: new Set(this.#options.comparedColumns),
      world: this.#options,
    });
  }

  #rule(text: string, scope: ScopeName, path: Path): Rule | undefined {
    const whole = [...this.#options.path, ...path];
    const expression = this.#expression(text, scope, whole);
    return expression && new Rule(expression, this.#table, { path: whole, text });
  }

  #expression(text: string, name: ScopeName, path: Path): CompiledExpression | undefined {
    const place = this.#problems.placeOf(path);
    const { expression, diagnostics } = compileExpression({ text, place }, this.#scope(name));
    this.#problems.add(path, text, diagnostics);
    return expression;
  }

  #scope(name: ScopeName): ExpressionScope {
    const { words, bare, ...missing } = SCOPES[name];
    return {
      qualifiers: new Map(words.map((word) => [word, word])),
      bareRow: bare,
      columns: this.#isKnown ? new Set(['id', ...this.#table.columns.keys()]) : undefined,
      table: this.#table.name,
      missing: new Map(Object.entries(missing)),
    };
  }

  #assignments(
    texts: ReadonlyMap<string, string>,
    operation: 'insert' | 'update',
  ): ReadonlyMap<string, Rule> {
    const rules = new Map<string, Rule>();
    for (const [column, text] of texts) {
      const own: Path = ['set', operation, column];
      const isOwn = this.#problems.placeOf([...this.#options.path, ...own]) !== undefined;
      const path: Path = isOwn ? own : ['set', 'always', column];
      this.#checkColumn(column, path, `set names`);
      const rule = this.#rule(text, operation, path);
      if (rule !== undefined) rules.set(column, rule);
    }
    return rules;
  }

  #checkColumns(): void {
    const { insertColumns, updateColumns, required, immutable } = this.#rules;
    const lists: readonly [key: Path, columns: readonly string[] | undefined][] = [
      [['columns'], insertColumns === updateColumns ? insertColumns : undefined],
      [['columns', 'insert'], insertColumns === updateColumns ? undefined : insertColumns],
      [['columns', 'update'], insertColumns === updateColumns ? undefined : updateColumns],
      [['required'], required],
      [['immutable'], immutable],
    ];
    for (const [key, columns] of lists) {
      for (const [i, column] of (columns ?? []).entries()) {
        this.#checkColumn(column, [...key, i], `${String(key[0])} names`);
      }
    }
  }

  #checkColumn(column: string, path: Path, what: string): void {
    const { columns, name } = this.#table;
    if (!this.#isKnown || column === 'id' || columns.has(column)) return;
    const near = closest(column, columns.keys());
    const fix =
      near === undefined ? `Known: ${[...columns.keys()].join(', ')}` : `Did you mean ${near}?`;
    const message = `${what} the column ${column}, which ${name} does not have`;
    this.#problems.error(
      [...this.#options.path, ...path],
      column,
      'COLUMN_NOT_FOUND',
      message,
      fix,
    );
  }
}
