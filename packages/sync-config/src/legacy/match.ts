import type { Reporter } from '../diagnostics.ts';
import { canonicalText, operatorCall, sourcesOf, type Expression } from '../expr/expression.ts';

/**
 * One alternative of a WHERE clause: rows that pass `filter` are filed under one value for each
 * parameter. What a parameter is: `bucket.x` in data queries, a request expression in parameter
 * queries. Source: spec/sync-config.md 8.2 to 8.4.
 */
export interface Alternative {
  readonly filter: Expression | undefined;
  /** By the canonical text of the parameter, in the order of their appearance. */
  readonly matches: ReadonlyMap<string, Match>;
}

export interface Match {
  readonly parameter: Expression;
  /** The row's value, or a JSON array of values where `rowIsArray`. */
  readonly row: Expression;
  readonly rowIsArray: boolean;
  /** The parameter is a JSON array of values: `row IN parameter`. */
  readonly parameterIsArray: boolean;
}

export interface MatchRules {
  readonly report: Reporter;
  /** Reads only the row, or nothing. */
  isRow(expression: Expression): boolean;
  /** Reads only what is known of the request. */
  isParameter(expression: Expression): boolean;
  /** The match that a term states, if it is one; reports matches of a forbidden form. */
  matchOf(term: Expression): Match | 'refused' | undefined;
}

/** Bounds what AND of several ORs may expand to. */
const MAX_ALTERNATIVES = 100;
const NO_MATCHES: ReadonlyMap<string, Match> = new Map();

/** Brings a condition into alternatives. */
export function alternativesOf(condition: Expression, rules: MatchRules): readonly Alternative[] {
  if (rules.isRow(condition)) return [{ filter: condition, matches: NO_MATCHES }];
  if (condition.kind === 'call' && condition.table === 'operator') {
    const [left, right] = condition.args;
    if (condition.name === 'and' && left !== undefined && right !== undefined) {
      return conjoin(alternativesOf(left, rules), alternativesOf(right, rules), condition, rules);
    }
    if (condition.name === 'or' && left !== undefined && right !== undefined) {
      return disjoin(alternativesOf(left, rules), alternativesOf(right, rules), condition, rules);
    }
  }
  const match = rules.matchOf(condition);
  if (match === 'refused') return [];
  if (match !== undefined) {
    return [{ filter: undefined, matches: new Map([[parameterText(match), match]]) }];
  }
  reportMixed(condition, rules);
  return [];
}

function parameterText(match: Match): string {
  return (match.parameterIsArray ? 'each ' : '') + canonicalText(match.parameter);
}

function conjoin(
  left: readonly Alternative[],
  right: readonly Alternative[],
  condition: Expression,
  rules: MatchRules,
): readonly Alternative[] {
  if (left.length * right.length > MAX_ALTERNATIVES) {
    const message = 'This condition has too many alternatives';
    rules.report.error('TOO_MANY_TERMS', condition, message, 'Write several queries');
    return [];
  }
  return left.flatMap((a) =>
    right.map((b) => {
      // The first match of a parameter decides its value; later ones are dropped (8.4).
      const matches = new Map(a.matches);
      for (const [key, match] of b.matches) if (!matches.has(key)) matches.set(key, match);
      if ([...matches.values()].filter((match) => match.rowIsArray).length > 1) {
        const message = 'Only one IN on a row array is allowed among conditions joined by AND';
        rules.report.error('MULTIPLE_EXPANSIONS', condition, message, 'Write several queries');
      }
      return { filter: andFilters(a.filter, b.filter), matches };
    }),
  );
}

function disjoin(
  left: readonly Alternative[],
  right: readonly Alternative[],
  condition: Expression,
  rules: MatchRules,
): readonly Alternative[] {
  const names = (alternatives: readonly Alternative[]) =>
    [...(alternatives[0]?.matches.keys() ?? [])].toSorted().join(' ');
  const isComparable = left.length > 0 && right.length > 0;
  if (isComparable && names(left) !== names(right)) {
    rules.report.error(
      'OR_PARAM_SETS',
      condition,
      'Both sides of OR must use the same parameters',
      'Write two queries instead',
    );
  }
  return [...left, ...right];
}

export function andFilters(
  a: Expression | undefined,
  b: Expression | undefined,
): Expression | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return operatorCall('and', [a, b], { start: a.start, end: b.end });
}

function reportMixed(term: Expression, rules: MatchRules): void {
  const isNegation = term.kind === 'call' && term.table === 'operator' && term.name === 'not';
  if (isNegation) {
    const message = 'NOT is not allowed around a match with a parameter';
    const fix = 'Only = and IN may connect row and request: turn the condition round';
    rules.report.error('NEGATED_MATCH', term, message, fix);
    return;
  }
  const message = 'A condition on both the row and the request must be = or IN';
  rules.report.error('MIXED_EXPR', term, message, 'Use row_column = request_value');
}

/** Whether an expression reads none but the sources given. */
export function readsOnly(expression: Expression, ...sources: readonly number[]): boolean {
  return [...sourcesOf(expression)].every((source) => sources.includes(source));
}
