import { REQUEST_SOURCE, operatorCall, type Expression } from '../expr/expression.ts';
import type { SourceList } from './source.ts';

/** A condition with NOT already pushed into its terms. */
export type Formula =
  | { readonly kind: 'term'; readonly expression: Expression }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Formula[] }
  /** Sources that take part only where `condition` is demanded: an IN (SELECT ...). */
  | { readonly kind: 'join'; readonly sources: readonly number[]; readonly condition: Formula };

/** Terms that must all hold, and the sources that they bring in besides those of FROM. */
export interface Conjunction {
  readonly terms: readonly Expression[];
  readonly sources: readonly number[];
}

export const ALWAYS: Formula = { kind: 'and', parts: [] };

/** spec/sync-config.md 12. */
export const MAX_CONJUNCTIONS = 100;

/**
 * Brings a formula into disjunctive normal form; undefined when that has too many conjunctions.
 *
 * Parts that concern one source only stay whole, as one term: `(a OR b) AND link` is one
 * conjunction with a filter, not two (spec/sync-config.md 10.4 rule 3).
 */
export function toConjunctions(
  formula: Formula,
  sources: SourceList,
): readonly Conjunction[] | undefined {
  return expand(mergeTerms(formula, sources));
}

function mergeTerms(formula: Formula, sources: SourceList): Formula {
  if (formula.kind === 'term') return formula;
  if (formula.kind === 'join') {
    return { ...formula, condition: mergeTerms(formula.condition, sources) };
  }
  const rest: Formula[] = [];
  const byRoot = new Map<number, Expression>();
  for (const part of flatten(formula, sources)) {
    const roots = part.kind === 'term' ? sources.rootsOf(part.expression) : undefined;
    if (part.kind !== 'term' || roots === undefined || roots.size > 1) {
      rest.push(part);
      continue;
    }
    const [root = REQUEST_SOURCE] = roots;
    const before = byRoot.get(root);
    byRoot.set(root, before ? combine(formula.kind, before, part.expression) : part.expression);
  }
  const merged = [...byRoot.values()].map((expression): Formula => ({ kind: 'term', expression }));
  const [only, ...others] = [...merged, ...rest];
  return only !== undefined && others.length === 0
    ? only
    : { kind: formula.kind, parts: [...merged, ...rest] };
}

/** The parts of AND in AND and OR in OR as one list, each already merged. */
function flatten(
  formula: Extract<Formula, { kind: 'and' | 'or' }>,
  sources: SourceList,
): readonly Formula[] {
  return formula.parts.flatMap((part) => {
    const merged = mergeTerms(part, sources);
    return merged.kind === formula.kind ? merged.parts : [merged];
  });
}

function combine(operator: 'and' | 'or', a: Expression, b: Expression): Expression {
  return operatorCall(operator, [a, b], { start: a.start, end: b.end });
}

function expand(formula: Formula): readonly Conjunction[] | undefined {
  switch (formula.kind) {
    case 'term':
      return [{ terms: [formula.expression], sources: [] }];
    case 'join': {
      const inner = expand(formula.condition);
      return inner?.map(({ terms, sources }) => ({
        terms,
        sources: [...formula.sources, ...sources],
      }));
    }
    case 'or': {
      const all: Conjunction[] = [];
      for (const part of formula.parts) {
        const expanded = expand(part);
        if (expanded === undefined || all.length + expanded.length > MAX_CONJUNCTIONS) {
          return undefined;
        }
        all.push(...expanded);
      }
      return all;
    }
    case 'and': {
      let product: readonly Conjunction[] = [{ terms: [], sources: [] }];
      for (const part of formula.parts) {
        const expanded = expand(part);
        if (expanded === undefined || product.length * expanded.length > MAX_CONJUNCTIONS) {
          return undefined;
        }
        product = product.flatMap((a) =>
          expanded.map((b) => ({
            terms: [...a.terms, ...b.terms],
            sources: [...a.sources, ...b.sources],
          })),
        );
      }
      return product;
    }
  }
}
