import { canonicalText, operatorCall, type Expression } from '../expr/expression.ts';
import type { CompiledConjunction } from './compile-conjunction.ts';
import { resolutionText } from './compile-conjunction.ts';

/** What of a conjunction decides whether it can be merged with another of the same query. */
type Variant = Pick<CompiledConjunction, 'selection' | 'resolution' | 'numbers'>;

/**
 * Merges conjunctions of one query that differ only in their row filters, then those that differ only
 * in their request filters, into one with OR between the filters: one bucket instead of several with
 * the same rows. Source: spec/sync-config.md 10.4 rule 3.
 */
export function mergeVariants(variants: readonly Variant[]): readonly Variant[] {
  const byRowFilter = mergeBy(
    variants,
    ({ selection, resolution }) => `${placementText(selection)} ${resolutionText(resolution)}`,
    (a, b) => ({
      ...a,
      selection: {
        ...a.selection,
        filter: either(a.selection.filter, b.selection.filter),
      },
    }),
  );
  return mergeBy(
    byRowFilter,
    ({ selection, resolution }) =>
      [
        placementText(selection),
        filterText(selection.filter),
        resolutionText({ ...resolution, filter: undefined }),
      ].join(' '),
    (a, b) => ({
      ...a,
      resolution: {
        ...a.resolution,
        filter: either(a.resolution.filter, b.resolution.filter),
      },
    }),
  );
}

function mergeBy(
  variants: readonly Variant[],
  textOf: (variant: Variant) => string,
  merge: (a: Variant, b: Variant) => Variant,
): readonly Variant[] {
  const merged = new Map<string, Variant>();
  for (const variant of variants) {
    const text = textOf(variant);
    const before = merged.get(text);
    merged.set(text, before === undefined ? variant : merge(before, variant));
  }
  return [...merged.values()];
}

/** Everything of a selection but its filter; the table is the same within a query. */
function placementText({ expansions, keys }: Variant['selection']): string {
  return JSON.stringify([
    expansions.map(({ source, input, mode }) => [source, canonicalText(input), mode]),
    keys.map((key) => canonicalText(key)),
  ]);
}

function filterText(filter: Expression | undefined): string {
  return filter === undefined ? '' : canonicalText(filter);
}

/** No filter lets everything pass. */
function either(a: Expression | undefined, b: Expression | undefined): Expression | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (canonicalText(a) === canonicalText(b)) return a;
  return operatorCall('or', [a, b], { start: a.start, end: b.end });
}
