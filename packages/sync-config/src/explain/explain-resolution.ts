import type { SqliteValue } from '@sluice/model';
import type { LinkContext } from '../evaluate/row-selection.ts';
import { linkExpression } from '../expr/link.ts';
import type { RequestWords } from '../expr/request-words.ts';
import type { BucketQuery, Component, KeyValue, Step } from '../plan/queries.ts';
import type { SearchEvent } from '../resolve/find-buckets.ts';
import { componentLayout, REQUEST_LAYOUT, type Env } from '../resolve/link-bucket-query.ts';
import { keyText } from '../values/key-text.ts';
import { failedConditions, nameValue, sqlText, type ExpressionScope } from './conditions.ts';
import type {
  AskedLookup,
  BucketResolution,
  FailedCondition,
  FoundKey,
  LookupDescription,
  NamedValue,
  ResolutionPart,
  ResolutionStep,
} from './explanation.ts';
import { keyLiteral } from './key-values.ts';

export type LookupsById = ReadonlyMap<string, LookupDescription>;

export interface ResolutionContext {
  readonly slots: readonly SqliteValue[];
  readonly lookups: LookupsById;
  readonly words: RequestWords;
  readonly context: LinkContext;
}

/** Retells a search in the words of its query. */
export function explainResolution(
  query: BucketQuery,
  events: readonly SearchEvent[],
  resolution: ResolutionContext,
): Omit<BucketResolution, 'buckets'> {
  const { slots, words, context } = resolution;
  const scope = { dialect: context.dialect, layout: REQUEST_LAYOUT, words };
  const parts = query.components.flatMap((component, index) => {
    const own = events.filter((event) => event.kind !== 'found' && event.component === index);
    return own.length === 0 ? [] : [new PartReader(component, resolution).explain(own)];
  });
  return {
    family: query.bucket,
    failed: parts.length > 0 ? [] : failedConditions(query.filter, slots, scope),
    parts,
  };
}

/** Retells the steps of one component. */
class PartReader {
  readonly #component: Component;
  readonly #lookups: LookupsById;
  readonly #scope: ExpressionScope;
  /** The lookups of the component in the order in which `KeyValue` counts them. */
  readonly #inOrder: readonly LookupDescription[];

  constructor(component: Component, { lookups, words, context }: ResolutionContext) {
    this.#component = component;
    this.#lookups = lookups;
    this.#scope = { dialect: context.dialect, layout: componentLayout(component), words };
    this.#inOrder = component.steps.flatMap((step) =>
      step.kind === 'lookup' ? [this.#describe(step.id)] : [],
    );
  }

  explain(events: readonly SearchEvent[]): ResolutionPart {
    const steps: ResolutionStep[] = [];
    let keys: readonly FoundKey[] = [];
    let isEmpty = true;
    for (const event of events) {
      if (event.kind === 'step') {
        const step = this.#component.steps[event.step];
        if (step !== undefined) steps.push(this.#step(step, event.before, event.after));
        continue;
      }
      if (event.kind === 'found') continue;
      const { positions, tuples } = event.relation;
      isEmpty = tuples.length === 0;
      keys = this.#component.results.map(({ position, value }) => {
        const at = positions.indexOf(position);
        const texts = new Set(tuples.map((tuple) => tuple[at] ?? ''));
        return { position, sql: this.#keySql(value), values: [...texts].map(keyLiteral) };
      });
    }
    return { steps, keys, isEmpty };
  }

  #step(step: Step, before: readonly Env[], after: readonly Env[]): ResolutionStep {
    if (step.kind === 'each') {
      const { input } = step.expansion;
      const inputs = distinct(before.map(({ slots }) => nameValue(input, slots, this.#scope)));
      return { kind: 'each', inputs, elements: after.length };
    }
    if (step.kind === 'filter') {
      const failed = before
        .filter((env) => !after.includes(env))
        .flatMap(({ slots }): FailedCondition[] =>
          failedConditions(step.condition, slots, this.#scope),
        );
      return { kind: 'filter', kept: after.length, failed: distinct(failed) };
    }
    return this.#lookup(step, before, after);
  }

  #lookup(
    step: Extract<Step, { kind: 'lookup' }>,
    before: readonly Env[],
    after: readonly Env[],
  ): ResolutionStep {
    const asked = new Map<string, { keys: readonly NamedValue[]; found: Map<string, string[]> }>();
    const unmatched: NamedValue[] = [];
    for (const env of before) {
      const keys = step.keys.map((key) => this.#keyOf(key, env));
      const missing = keys.filter(({ isUsable }) => !isUsable);
      unmatched.push(...missing.map(({ named }) => named));
      if (missing.length > 0) continue;
      asked.set(keysId(keys), { keys: keys.map(({ named }) => named), found: new Map() });
    }
    // What a lookup found is the last output; the keys read only what was there before.
    for (const env of after) {
      const id = keysId(step.keys.map((key) => this.#keyOf(key, env)));
      const outputs = env.outputs.at(-1) ?? [];
      asked.get(id)?.found.set(outputs.join(','), outputs.map(keyLiteral));
    }
    return {
      kind: 'lookup',
      lookup: this.#describe(step.id),
      asked: [...asked.values()].map(({ keys, found }): AskedLookup => ({
        keys,
        found: [...found.values()],
      })),
      unmatched: distinct(unmatched),
    };
  }

  #keyOf(key: KeyValue, env: Env): { readonly named: NamedValue; readonly isUsable: boolean } {
    if (key.kind === 'output') {
      const text = env.outputs[key.lookup]?.[key.index];
      const value = text === undefined ? 'NULL' : keyLiteral(text);
      return { named: { sql: this.#keySql(key), value }, isUsable: text !== undefined };
    }
    const { dialect, layout } = this.#scope;
    const value = linkExpression(key.value, dialect, layout)(env.slots);
    const isUsable = keyText(value) !== undefined || (key.nullable && value === null);
    return { named: nameValue(key.value, env.slots, this.#scope), isUsable };
  }

  #keySql(key: KeyValue): string {
    if (key.kind === 'request') return sqlText(key.value, this.#scope);
    const lookup = this.#inOrder[key.lookup];
    return `${lookup?.table ?? ''}.${lookup?.outputs[key.index] ?? ''}`;
  }

  #describe(id: string): LookupDescription {
    const unknown = { table: id, keys: [], outputs: [], filter: undefined };
    return this.#lookups.get(id) ?? unknown;
  }
}

function keysId(keys: readonly { readonly named: NamedValue }[]): string {
  return JSON.stringify(keys.map(({ named }) => named.value));
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
