import { must } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import { REQUEST_SOURCE } from '../expr/expression.ts';
import { linkExpression, type SlotLayout } from '../expr/link.ts';
import { REQUEST_COLUMNS, type RequestColumn } from '../expr/request-functions.ts';
import type { LinkContext } from '../evaluate/row-selection.ts';
import type { BucketQuery, Component, KeyValue, Step } from '../plan/queries.ts';
import type { JsonElement } from '../values/json-elements.ts';
import { keyText } from '../values/key-text.ts';

/** A `BucketQuery` whose expressions are closures over the slots of a request. */
export interface LinkedBucketQuery {
  readonly definition: string;
  readonly bucket: string;
  readonly priority: number;
  readonly parameterCount: number;
  passes(slots: readonly SqliteValue[]): boolean;
  readonly components: readonly LinkedComponent[];
  readonly isDynamic: boolean;
}

export interface LinkedComponent {
  readonly steps: readonly LinkedStep[];
  readonly results: readonly { readonly position: number; readonly key: ReadKey }[];
}

/** What is known on the way: request and element values, and the outputs of lookups as key texts. */
export interface Env {
  readonly slots: readonly SqliteValue[];
  readonly outputs: readonly (readonly string[])[];
}

/** The text of a key, or undefined when it can match nothing. */
type ReadKey = (env: Env) => string | undefined;

export type LinkedStep =
  | {
      readonly kind: 'each';
      readonly slot: number;
      elements(slots: readonly SqliteValue[]): readonly JsonElement[];
    }
  | { readonly kind: 'filter'; passes(slots: readonly SqliteValue[]): boolean }
  | { readonly kind: 'lookup'; readonly id: string; readonly keys: readonly ReadKey[] };

export function linkBucketQuery(query: BucketQuery, context: LinkContext): LinkedBucketQuery {
  const { dialect } = context;
  const filter = query.filter && linkExpression(query.filter, dialect, REQUEST_LAYOUT);
  const components = query.components.map((component) => linkComponent(component, context));
  return {
    definition: query.definition,
    bucket: query.bucket,
    priority: query.priority,
    parameterCount: query.parameterCount,
    passes: (slots) => filter === undefined || dialect.isTrue(filter(slots)),
    components,
    isDynamic: components.some(({ steps }) => steps.some((step) => step.kind === 'lookup')),
  };
}

/** Where the values of conditions on the request alone stand. */
export const REQUEST_LAYOUT: SlotLayout = { slotOf: requestSlot };

function requestSlot(source: number, column: string): number | undefined {
  if (source !== REQUEST_SOURCE) return undefined;
  const index = REQUEST_COLUMNS.indexOf(column as RequestColumn);
  return index === -1 ? undefined : index;
}

/** Request data, then `value` and `key` of each expansion, by the source number of it. */
function expansionSlots({ steps }: Component): ReadonlyMap<number, number> {
  const slotBySource = new Map<number, number>();
  for (const step of steps) {
    if (step.kind !== 'each') continue;
    slotBySource.set(step.expansion.source, REQUEST_COLUMNS.length + 2 * slotBySource.size);
  }
  return slotBySource;
}

/** Where the values stand that the steps and results of a component read. */
export function componentLayout(component: Component): SlotLayout {
  const slotBySource = expansionSlots(component);
  return {
    slotOf(source, column) {
      const slot = slotBySource.get(source);
      return slot === undefined ? requestSlot(source, column) : slot + (column === 'key' ? 1 : 0);
    },
  };
}

function linkComponent(component: Component, context: LinkContext): LinkedComponent {
  const slotBySource = expansionSlots(component);
  const layout = componentLayout(component);
  return {
    steps: component.steps.map((step) => linkStep(step, layout, slotBySource, context)),
    results: component.results.map(({ position, value }) => ({
      position,
      key: linkKey(value, layout, context),
    })),
  };
}

function linkStep(
  step: Step,
  layout: SlotLayout,
  slotBySource: ReadonlyMap<number, number>,
  context: LinkContext,
): LinkedStep {
  const { dialect } = context;
  if (step.kind === 'lookup') {
    const keys = step.keys.map((key) => linkKey(key, layout, context));
    return { kind: 'lookup', id: step.id, keys };
  }
  if (step.kind === 'filter') {
    const condition = linkExpression(step.condition, dialect, layout);
    return { kind: 'filter', passes: (slots) => dialect.isTrue(condition(slots)) };
  }
  const { source, input, mode } = step.expansion;
  const evaluate = linkExpression(input, dialect, layout);
  return {
    kind: 'each',
    slot: must(slotBySource.get(source), 'the slot of an expansion'),
    elements: (slots) => context.dialect.elements(evaluate(slots), mode),
  };
}

function linkKey(value: KeyValue, layout: SlotLayout, context: LinkContext): ReadKey {
  if (value.kind === 'output') {
    const { lookup, index } = value;
    return (env) => env.outputs[lookup]?.[index];
  }
  const evaluate = linkExpression(value.value, context.dialect, layout);
  const { nullable } = value;
  return ({ slots }) => {
    const result = evaluate(slots);
    return nullable && result === null ? 'null' : keyText(result);
  };
}
