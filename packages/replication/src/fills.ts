import {
  matchesPattern,
  type EvaluatedRow,
  type SqliteRow,
  type TablePattern,
  type TableSchema,
} from '@sluice/model';
import type { RaiseNumber, StoredConfig } from '@sluice/storage';
import {
  writeCheckpointKey,
  type EvaluationError,
  type RowEvaluator,
  type SyncPlan,
  type WriteCheckpointEvaluator,
} from '@sluice/sync-config';
import { fillOf } from './configs/bucket-prefix.ts';

/** What a sync config is to a generation. */
export type ConfigRole = 'serving' | 'next' | 'previous';

/** A sync config of a generation, compiled. */
export interface PlannedConfig {
  readonly role: ConfigRole;
  readonly stored: StoredConfig;
  readonly plan: SyncPlan;
}

type TableName = Pick<TableSchema, 'schema' | 'name'>;

/** What one config contributes to a fill. */
interface FillPart {
  readonly role: ConfigRole;
  readonly plan: SyncPlan;
  /** Of the definitions that are evaluated by this config's plan. */
  readonly prefixes: Map<string, string>;
  /** Of its write checkpoints, if they are evaluated by this config's plan. */
  writeCheckpointPrefix: string | undefined;
  /** The tables of all definitions that the config has in the fill. */
  readonly patterns: TablePattern[];
}

/** The numbers that a row raises, and what went wrong with it. */
export interface EvaluatedNumbers {
  readonly numbers: readonly Omit<RaiseNumber, 'kind'>[];
  readonly errors: readonly EvaluationError[];
}

/**
 * Definitions, write checkpoints among them, that were filled together, as far as a config still has them. Each fill has tables of
 * its own: their row states, snapshots and tombstones. So a new definition is filled beside the
 * others as though its tables were new, and nothing of the others is read or written again.
 */
export class Fill {
  readonly number: number;
  readonly #parts: readonly FillPart[];

  constructor(number: number, parts: readonly FillPart[]) {
    this.number = number;
    this.#parts = parts;
  }

  get patterns(): readonly TablePattern[] {
    return this.#parts.flatMap(({ patterns }) => patterns);
  }

  reads(table: TableName): boolean {
    return this.#parts.some((part) => readsTable(part, table));
  }

  /** The configs that need the table, through this fill. */
  rolesOf(table: TableName): ReadonlySet<ConfigRole> {
    const parts = this.#parts.filter((part) => readsTable(part, table));
    return new Set(parts.map(({ role }) => role));
  }

  /** Evaluates rows for the definitions of this fill alone; undefined when none reads the table. */
  evaluator(table: TableSchema): RowEvaluator | undefined {
    const evaluators = this.#parts
      .filter(({ prefixes }) => prefixes.size > 0)
      .map(({ plan, prefixes }) => plan.rowEvaluator(table, prefixes))
      .filter((evaluator) => evaluator !== undefined);
    return evaluators.length > 1 ? new JointEvaluator(evaluators) : evaluators[0];
  }

  /** Says which numbers the table's rows raise; undefined when they raise none. */
  numbersOf(table: TableSchema): ((row: SqliteRow) => EvaluatedNumbers) | undefined {
    for (const { plan, writeCheckpointPrefix: prefix } of this.#parts) {
      if (prefix === undefined) continue;
      const evaluator = plan.writeCheckpointEvaluator(table);
      // Two configs with the same write checkpoints have them under the same prefix, so only one is here.
      if (evaluator !== undefined) return (row) => evaluateNumbers(evaluator, prefix, row);
    }
    return undefined;
  }
}

/** Sorts the definitions of all configs by fill. A definition that several have is evaluated once. */
export function fillsOf(configs: readonly PlannedConfig[]): readonly Fill[] {
  const parts = new Map<number, Map<ConfigRole, FillPart>>();
  const evaluated = new Set<string>();
  for (const { role, stored, plan } of configs) {
    for (const { hash, tables } of plan.parts) {
      const prefix = stored.prefixes[hash];
      if (prefix === undefined) continue;
      const number = fillOf(prefix);
      const ofFill = parts.get(number) ?? new Map<ConfigRole, FillPart>();
      parts.set(number, ofFill);
      const part = ofFill.get(role) ?? newPart(role, plan);
      ofFill.set(role, part);
      part.patterns.push(...tables);
      if (evaluated.has(hash)) continue;
      if (hash === plan.writeCheckpoints?.hash) part.writeCheckpointPrefix = prefix;
      else part.prefixes.set(hash, prefix);
      evaluated.add(hash);
    }
  }
  return [...parts].map(([number, ofFill]) => new Fill(number, [...ofFill.values()]));
}

function newPart(role: ConfigRole, plan: SyncPlan): FillPart {
  return { role, plan, prefixes: new Map(), writeCheckpointPrefix: undefined, patterns: [] };
}

function evaluateNumbers(
  evaluator: WriteCheckpointEvaluator,
  prefix: string,
  row: SqliteRow,
): EvaluatedNumbers {
  const { writeCheckpoints, errors } = evaluator.evaluate(row);
  const numbers = writeCheckpoints.map(({ user, value }) => {
    return { key: writeCheckpointKey(prefix, user), value };
  });
  return { numbers, errors };
}

/** Each pattern once. */
export function patternsOf(fills: readonly Fill[]): readonly TablePattern[] {
  const byText = new Map<string, TablePattern>();
  for (const pattern of fills.flatMap(({ patterns }) => patterns)) {
    byText.set(patternText(pattern), pattern);
  }
  return [...byText.values()];
}

/** Whether every table that falls under `patterns` is named by `others` too, pattern for pattern. */
export function includesPatterns(
  others: readonly TablePattern[],
  patterns: readonly TablePattern[],
): boolean {
  const known = new Set(others.map(patternText));
  return patterns.every((pattern) => known.has(patternText(pattern)));
}

function patternText({ schema, name, nameIsPrefix, schemaIsPrefix }: TablePattern): string {
  return JSON.stringify([schema, name, nameIsPrefix, schemaIsPrefix]);
}

function readsTable({ patterns }: FillPart, table: TableName): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, table));
}

/** Definitions of one fill that are in different configs, together. */
class JointEvaluator implements RowEvaluator {
  readonly #evaluators: readonly RowEvaluator[];

  constructor(evaluators: readonly RowEvaluator[]) {
    this.#evaluators = evaluators;
  }

  evaluate(
    row: Parameters<RowEvaluator['evaluate']>[0],
  ): EvaluatedRow & { readonly errors: readonly EvaluationError[] } {
    const results = this.#evaluators.map((evaluator) => evaluator.evaluate(row));
    return {
      outputs: results.flatMap(({ outputs }) => outputs),
      lookups: results.flatMap(({ lookups }) => lookups),
      errors: results.flatMap(({ errors }) => errors),
    };
  }
}
