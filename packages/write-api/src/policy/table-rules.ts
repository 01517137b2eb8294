import { closest } from '@sluice/sync-config';
import { conflictHandling, type ConflictHandling } from '../conflict/conflict-step.ts';
import type { ConflictResolver } from '../conflict/conflict-resolver.ts';
import type { ConflictRule, TableRules } from '../config/write-api-config.ts';
import type { StepBundle, TransactionStep } from '../pipeline/table-steps.ts';
import { compileTablePolicy } from './compile-table-policy.ts';
import { ProblemList, type FindPlace, type PolicyProblem } from './policy-problem.ts';
import type { RuleTable } from './rule-table.ts';
import type { PolicyWorld, TablePolicy } from './table-policy.ts';

export interface WriteRulesOptions extends PolicyWorld {
  /** Places of the section's values in the YAML text, for problems. */
  readonly findPlace?: FindPlace | undefined;
  /** Functions for `conflict: { function: name }`. */
  readonly resolverOf?: ((name: string) => ConflictResolver | undefined) | undefined;
}

/** The rules of one table, ready to run: policy and conflict rule in their order. */
export interface CompiledTableRules extends StepBundle {
  readonly policy: TablePolicy;
}

export interface CompiledWriteRules {
  /** By table; a table with an error is missing, and must not be written. */
  readonly tables: ReadonlyMap<string, CompiledTableRules>;
  readonly problems: readonly PolicyProblem[];
}

/**
 * Compiles the rules of all tables of the section against the live schema: at start, where an error
 * ends it, and whenever the schema changes. Pure; the same rules may be compiled again at any time.
 *
 * @param schema Undefined: not known, so only the language of the expressions is checked.
 */
export function tableSteps(
  rules: ReadonlyMap<string, TableRules>,
  schema: ReadonlyMap<string, RuleTable> | undefined,
  options: WriteRulesOptions,
): CompiledWriteRules {
  const problems: PolicyProblem[] = [];
  const tables = new Map<string, CompiledTableRules>();
  for (const [name, own] of rules) {
    const compiled = compileTable(name, own, schema, options);
    problems.push(...compiled.problems);
    if (compiled.rules !== undefined) tables.set(name, compiled.rules);
  }
  return { tables, problems };
}

function compileTable(
  name: string,
  rules: TableRules,
  schema: ReadonlyMap<string, RuleTable> | undefined,
  options: WriteRulesOptions,
): { rules?: CompiledTableRules; problems: readonly PolicyProblem[] } {
  const path = ['tables', name];
  const list = new ProblemList(options.findPlace ?? (() => undefined));
  const table = schema?.get(name);
  if (schema !== undefined && table === undefined) {
    const near = closest(name, schema.keys());
    const fix = near === undefined ? 'Create it, or remove its rules' : `Did you mean ${near}?`;
    list.error(path, name, 'TABLE_NOT_FOUND', `There is no table ${name} to write to`, fix);
    return { problems: list.list };
  }
  const { conflict } = rules;
  const resolver = conflict.kind === 'function' ? options.resolverOf?.(conflict.name) : undefined;
  const handling = conflictHandling(conflict, resolver);
  checkConflict(conflict, { table, resolver, path, list, options });
  const compared =
    handling.comparedColumns === 'all'
      ? [...(table?.columns.keys() ?? [])]
      : handling.comparedColumns;
  const { serverColumns } = handling;
  const { problems, policy } = compileTablePolicy(rules, table, {
    ...options,
    path,
    serverColumns,
    comparedColumns: compared,
  });
  const all = [...list.list, ...problems];
  if (policy === undefined || list.hasErrors) return { problems: all };
  return { rules: bundle(policy, handling), problems: all };
}

function bundle(policy: TablePolicy, handling: ConflictHandling): CompiledTableRules {
  const steps: TransactionStep[] =
    handling.step === undefined
      ? [policy.admit, policy.check]
      : [policy.admit, handling.step, policy.check];
  return {
    policy,
    steps,
    needsStored: (op) => policy.needsStored(op) || handling.needsStored(op),
  };
}

interface ConflictCheck {
  readonly table: RuleTable | undefined;
  readonly resolver: ConflictResolver | undefined;
  readonly path: readonly (string | number)[];
  readonly list: ProblemList;
  readonly options: WriteRulesOptions;
}

function checkConflict(
  rule: ConflictRule,
  { table, resolver, path, list, options }: ConflictCheck,
): void {
  const at = (key: string, i?: number) => [
    ...path,
    'conflict',
    key,
    ...(i === undefined ? [] : [i]),
  ];
  if (rule.kind === 'function' && resolver === undefined && options.resolverOf !== undefined) {
    const fix = 'Add it to the functions, or correct the name';
    const message = `There is no function ${rule.name}`;
    list.error(at('function'), rule.name, 'FUNCTION_NOT_FOUND', message, fix);
  }
  if (table === undefined) return;
  const names =
    rule.kind === 'reject_stale'
      ? [{ name: rule.column, key: at('reject_stale') }]
      : rule.kind === 'counters'
        ? rule.columns.map((name, i) => ({ name, key: at('counters', i) }))
        : [];
  for (const { name, key } of names) {
    const column = table.columns.get(name);
    if (column !== undefined && NUMBERS.has(column.baseType)) continue;
    const near = closest(name, table.columns.keys());
    const fix = near === undefined ? 'Name a column of numbers' : `Did you mean ${near}?`;
    const what = column === undefined ? 'does not have' : 'does not have as a number';
    const message = `conflict names the column ${name}, which ${table.name} ${what}`;
    list.error(key, name, 'COLUMN_NOT_FOUND', message, fix);
  }
}

/** An empty name: the type is not known. */
const NUMBERS = new Set(['', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'money']);
