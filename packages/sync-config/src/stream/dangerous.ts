import type { Span } from '../diagnostics.ts';
import { REQUEST_SOURCE, sourcesOf, type Expression } from '../expr/expression.ts';
import {
  isAnyAuthenticated,
  requestValueName,
  unauthenticatedValues,
} from '../expr/request-functions.ts';
import type { ConjunctionParts } from './conjunction-parts.ts';
import type { SourceList } from './source.ts';

/** A value that any client can set, and that alone decides what it gets. */
export interface TrustedValue {
  /** `subscription.parameter('x')` */
  readonly name: string;
  readonly span: Span;
}

/**
 * The client's values that choose buckets while no claim does: a link or lookup by a claim makes a
 * conjunction safe, a mere filter on a claim does not. Source: spec/sync-config.md 10.9.
 */
export function trustedValues(
  parts: ConjunctionParts,
  sources: SourceList,
): readonly TrustedValue[] {
  const linked = parts.links
    .flatMap(({ left, right }) => [left.expression, right.expression])
    .flatMap((expression) => [expression, ...elementInputs(expression, sources)]);
  if (isAnyAuthenticated(linked)) return [];
  const values = requestSide(parts, sources).flatMap(unauthenticatedValues);
  const byPlace = new Map(
    values.map((value) => {
      const { start, end } = value;
      return [`${start} ${end}`, { name: requestValueName(value), span: { start, end } }] as const;
    }),
  );
  return [...byPlace.values()].toSorted((a, b) => a.span.start - b.span.start);
}

/** Everything that decides at request time. */
export function requestSide(parts: ConjunctionParts, sources: SourceList): readonly Expression[] {
  const linked = parts.links.flatMap(({ left, right }) => [left.expression, right.expression]);
  const inputs = (parts.eaches.get(REQUEST_SOURCE) ?? []).flatMap((id) => inputOf(id, sources));
  return [...linked, ...inputs, ...parts.requestFilters, ...parts.elementFilters];
}

/** What the elements that an expression reads are taken from. */
function elementInputs(expression: Expression, sources: SourceList): readonly Expression[] {
  return [...sourcesOf(expression)].flatMap((id) => inputOf(id, sources));
}

function inputOf(id: number, sources: SourceList): readonly Expression[] {
  const source = sources.get(id);
  return source?.kind === 'each' ? [source.input] : [];
}
