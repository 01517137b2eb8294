import type { Reporter } from '../diagnostics.ts';
import { REQUEST_SOURCE, sourcesOf, type Expression } from '../expr/expression.ts';
import type { Conjunction } from './formula.ts';
import type { SourceList } from './source.ts';

/** An equality between two sources (spec/sync-config.md 10.4 rule 2). */
export interface Link {
  readonly left: LinkSide;
  readonly right: LinkSide;
}

export interface LinkSide {
  /** The number of a table, or `REQUEST_SOURCE`. */
  readonly root: number;
  readonly expression: Expression;
}

/** The terms of a conjunction by their role. */
export interface ConjunctionParts {
  /** Decided per request. */
  readonly requestFilters: readonly Expression[];
  /** On elements of json_each over request data. */
  readonly elementFilters: readonly Expression[];
  /** By table. */
  readonly rowFilters: ReadonlyMap<number, readonly Expression[]>;
  readonly links: readonly Link[];
  /** Tables that take part, in the order of their mention. */
  readonly tables: readonly number[];
  /** The json_each sources that take part, by the table they read, or the request. */
  readonly eaches: ReadonlyMap<number, readonly number[]>;
}

/** Sorts the terms by role; reports terms that have none. */
export function splitConjunction(
  conjunction: Conjunction,
  baseSources: readonly number[],
  sources: SourceList,
  report: Reporter,
): ConjunctionParts {
  const requestFilters: Expression[] = [];
  const elementFilters: Expression[] = [];
  const rowFilters = new Map<number, Expression[]>();
  const links: Link[] = [];
  for (const term of conjunction.terms) {
    const roots = sources.rootsOf(term);
    const [root = REQUEST_SOURCE] = roots;
    if (roots.size > 1) {
      const link = linkOf(term, sources);
      if (link !== undefined) links.push(link);
      else reportMixed(term, roots, report);
    } else if (root !== REQUEST_SOURCE) {
      appendTo(rowFilters, root, term);
    } else if (sources.requestEachesOf(term).length > 0) {
      elementFilters.push(term);
    } else {
      requestFilters.push(term);
    }
  }
  const involved = [...new Set([...baseSources, ...conjunction.sources])].toSorted((a, b) => a - b);
  const eaches = new Map<number, number[]>();
  for (const id of involved) {
    if (sources.get(id)?.kind === 'each') appendTo(eaches, sources.rootOf(id), id);
  }
  const tables = involved.filter((id) => sources.get(id)?.kind === 'table');
  return { requestFilters, elementFilters, rowFilters, links, tables, eaches };
}

function appendTo<T>(map: Map<number, T[]>, key: number, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function linkOf(term: Expression, sources: SourceList): Link | undefined {
  if (term.kind !== 'call' || term.table !== 'operator' || term.name !== '=') return undefined;
  const [left, right] = term.args;
  if (left === undefined || right === undefined) return undefined;
  const leftRoots = [...sources.rootsOf(left)];
  const rightRoots = [...sources.rootsOf(right)];
  const [leftRoot] = leftRoots;
  const [rightRoot] = rightRoots;
  if (leftRoots.length !== 1 || rightRoots.length !== 1) return undefined;
  if (leftRoot === undefined || rightRoot === undefined) return undefined;
  return {
    left: { root: leftRoot, expression: left },
    right: { root: rightRoot, expression: right },
  };
}

function reportMixed(term: Expression, roots: ReadonlySet<number>, report: Reporter): void {
  const isNegation = term.kind === 'call' && term.table === 'operator' && term.name === 'not';
  const parties = roots.has(REQUEST_SOURCE) ? 'a row and the request' : 'two tables';
  if (isNegation || (term.kind === 'call' && term.name === '!=')) {
    const message = `A condition on ${parties} cannot be negated`;
    report.error('NEGATED_MATCH', term, message, 'Only = and IN may connect them');
    return;
  }
  if (term.kind === 'call' && /^= (?:nocase|rtrim)$/.test(term.name)) {
    const message = `COLLATE cannot be obeyed where ${parties} meet, for keys are equal or not`;
    report.error('MIXED_EXPR', term, message, 'Compare lower(a) = lower(b), or remove COLLATE');
    return;
  }
  const message = `A condition on ${parties} must be an equality`;
  report.error('MIXED_EXPR', term, message, 'Only = and IN may connect them');
}

/** Whether an expression reads a json_each source. */
export function readsEach(expression: Expression, sources: SourceList): boolean {
  return [...sourcesOf(expression)].some((id) => sources.get(id)?.kind === 'each');
}
