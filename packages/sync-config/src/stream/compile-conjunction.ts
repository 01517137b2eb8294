import { canonicalText, REQUEST_SOURCE, type Expression } from '../expr/expression.ts';
import type { BucketQuery, Component, KeyValue, RowSelection } from '../plan/queries.ts';
import {
  compileComponent,
  type CompiledComponent,
  type RegisterLookup,
} from './compile-component.ts';
import type { ConjunctionParts, Link, LinkSide } from './conjunction-parts.ts';
import { renumber } from './renumber.ts';
import { conjoin, selectionOf } from './row-side.ts';
import type { SourceList } from './source.ts';

export interface ConjunctionContext {
  /** The table whose rows are synced. */
  readonly synced: number;
  readonly sources: SourceList;
  readonly register: RegisterLookup;
  /** Whether a NULL of the request names a bucket, which is empty, instead of none (edition 2). */
  readonly keepsNullParameters: boolean;
}

export interface CompiledConjunction {
  /** Which rows of the synced table, under which keys. */
  readonly selection: RowSelection;
  /** Translates the sources of the query's output columns. */
  readonly numbers: ReadonlyMap<number, number>;
  /** How a request finds the values of the keys. Equal for conjunctions that can share buckets. */
  readonly resolution: Pick<BucketQuery, 'filter' | 'parameterCount' | 'components'>;
}

/** Turns a conjunction into partition keys and their resolution. Source: spec/sync-config.md 10.5. */
export function compileConjunction(
  parts: ConjunctionParts,
  context: ConjunctionContext,
): CompiledConjunction {
  const { synced, sources } = context;
  const components = componentsOf(parts, context);
  const positions = orderKeys(components);
  const numbers = new Map<number, number>();
  const selection = selectionOf(synced, parts, sources, numbers);
  const resolved = components.map(({ steps, results }): Component => ({
    steps,
    results: results.map(({ syncedSide, value }) => ({
      position: positions.findIndex((key) => key.text === canonicalText(syncedSide)),
      value,
    })),
  }));
  return {
    selection: {
      ...selection,
      keys: positions.map(({ expression }) => renumber(expression, numbers)),
    },
    numbers,
    resolution: {
      filter: conjoin(parts.requestFilters),
      parameterCount: positions.length,
      components: resolved.toSorted((a, b) => compareTexts(componentText(a), componentText(b))),
    },
  };
}

interface PartitionKey {
  readonly text: string;
  readonly expression: Expression;
}

/**
 * The distinct expressions of the synced side, in an order that depends only on how they are
 * resolved: queries on different tables must list them alike to share buckets.
 */
function orderKeys(components: readonly CompiledComponent[]): readonly PartitionKey[] {
  const origins = new Map<string, { expression: Expression; texts: string[] }>();
  for (const { steps, results } of components) {
    for (const { syncedSide, value } of results) {
      const text = canonicalText(syncedSide);
      const entry = origins.get(text) ?? { expression: syncedSide, texts: [] };
      entry.texts.push(`${stepsText(steps)} ${keyValueText(value)}`);
      origins.set(text, entry);
    }
  }
  return [...origins]
    .map(([text, { expression, texts }]) => ({ text, expression, order: texts.toSorted().join() }))
    .toSorted((a, b) => compareTexts(a.order, b.order));
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function componentText(component: Component): string {
  const results = component.results.map(
    ({ position, value }) => `${position} ${keyValueText(value)}`,
  );
  return `${stepsText(component.steps)} ${results.join(',')}`;
}

function stepsText(steps: Component['steps']): string {
  return steps
    .map((step) => {
      if (step.kind === 'each') return `each ${canonicalText(step.expansion.input)}`;
      if (step.kind === 'filter') return `filter ${canonicalText(step.condition)}`;
      return `lookup ${step.id} ${step.keys.map(keyValueText).join()}`;
    })
    .join(';');
}

function keyValueText(value: KeyValue): string {
  if (value.kind === 'output') return `output ${value.lookup} ${value.index}`;
  return `request ${canonicalText(value.value)}`;
}

/** A text that is equal for resolutions of equal meaning. */
export function resolutionText({ filter, components }: CompiledConjunction['resolution']): string {
  return `${filter ? canonicalText(filter) : ''} | ${components.map(componentText).join(' & ')}`;
}

/** Everything but the synced table, in parts that have nothing to do with each other. */
function componentsOf(
  parts: ConjunctionParts,
  { synced, sources, register, keepsNullParameters: nullable }: ConjunctionContext,
): readonly CompiledComponent[] {
  const tables = parts.tables.filter((id) => id !== synced && isNeeded(id, parts));
  const eaches = parts.eaches.get(REQUEST_SOURCE) ?? [];
  const groups = connect([...tables, ...eaches], synced, parts, sources);
  const syncedLinks = parts.links.flatMap((link) => syncedLink(link, synced) ?? []);
  const compiled = [...groups].map((group) => {
    const involves = (side: LinkSide) => membersOf(side, sources).some((id) => group.includes(id));
    const members = {
      tables: tables.filter((id) => group.includes(id)),
      eaches: eaches.filter((id) => group.includes(id)),
      syncedLinks: syncedLinks.filter(({ other }) => involves(other)),
    };
    return compileComponent(members, parts, sources, register);
  });
  // What the request says outright needs no steps.
  const direct = syncedLinks.filter(({ other }) => membersOf(other, sources).length === 0);
  return [
    ...compiled,
    ...direct.map(({ synced: own, other }): CompiledComponent => {
      const value: KeyValue = { kind: 'request', value: other.expression, nullable };
      return { steps: [], results: [{ syncedSide: own.expression, value }] };
    }),
  ];
}

/** A table with neither link nor filter says nothing (10.5 rule 6). */
function isNeeded(table: number, parts: ConjunctionParts): boolean {
  const isLinked = parts.links.some(
    ({ left, right }) => left.root === table || right.root === table,
  );
  return isLinked || parts.rowFilters.has(table) || parts.eaches.has(table);
}

function syncedLink(
  { left, right }: Link,
  synced: number,
): { synced: LinkSide; other: LinkSide } | undefined {
  if (left.root === synced) return { synced: left, other: right };
  return right.root === synced ? { synced: right, other: left } : undefined;
}

/** The table or the request-side json_each sources that a side of a link reads. */
function membersOf(side: LinkSide, sources: SourceList): readonly number[] {
  return side.root === REQUEST_SOURCE ? sources.requestEachesOf(side.expression) : [side.root];
}

/** Groups members that a link, a filter or an input connects. */
function connect(
  members: readonly number[],
  synced: number,
  parts: ConjunctionParts,
  sources: SourceList,
): readonly (readonly number[])[] {
  const groupOf = new Map(members.map((id) => [id, new Set([id])]));
  const unite = (ids: readonly number[]) => {
    const present = ids.filter((id) => groupOf.has(id));
    const all = new Set(present.flatMap((id) => [...(groupOf.get(id) ?? [])]));
    for (const id of all) groupOf.set(id, all);
  };
  for (const { left, right } of parts.links) {
    // A link with the synced table connects its own two sides only by the bucket parameter.
    const sides = [left, right].filter(({ root }) => root !== synced);
    unite(sides.flatMap((side) => membersOf(side, sources)));
  }
  for (const filter of parts.elementFilters) unite(sources.requestEachesOf(filter));
  for (const id of members) {
    const source = sources.get(id);
    if (source?.kind === 'each') unite([id, ...sources.requestEachesOf(source.input)]);
  }
  return [...new Set(groupOf.values())].map((group) => [...group]);
}
