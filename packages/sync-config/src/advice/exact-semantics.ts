import type { Expression } from '../expr/expression.ts';
import type { AdvisedQuery } from './advised-query.ts';
import { isOddTruth, OutcomeEvaluator, type Origin } from './evaluate-outcomes.ts';
import { factsWhenTrue, NO_FACTS, withFacts, type Facts } from './facts.ts';
import { leavesOf, logicDifference, textTruthDifference } from './logic-difference.ts';
import { isDifferent, mayBeNull, type Use } from './outcome.ts';
import { groupedOtherwise } from './precedence.ts';
import { valueDifference, type ValueDifference } from './value-difference.ts';

const CODE = 'EXACT_SEMANTICS';
/** Larger expressions are left alone: the search tries every operator. */
const MAX_ORIGINS = 60;

/**
 * Reports where a query of editions 1 to 3 would give another result with SQLite's own semantics
 * (edition 4): what happens now, what then, and how to write it so that both agree.
 *
 * Says nothing where types, literals or `IS NOT NULL` show that it makes no difference; where
 * nothing is known of a column, it may be NULL, and its type is not guessed.
 */
export function adviseExactSemantics(query: AdvisedQuery): void {
  for (const { span, message, fix } of groupedOtherwise(query.select, query.sql)) {
    query.report.info(CODE, span, message, fix);
  }
  const { condition } = query;
  if (condition !== undefined) new Search(query, condition, 'truth', NO_FACTS).report();
  const facts = condition ? withFacts(NO_FACTS, factsWhenTrue(condition, true)) : NO_FACTS;
  for (const value of query.values) new Search(query, value, 'value', facts).report();
}

/** Finds the places inside one expression because of which its result differs. */
class Search {
  readonly #query: AdvisedQuery;
  readonly #root: Expression;
  readonly #use: Use;
  readonly #facts: Facts;
  readonly #differences = new Map<Expression, ValueDifference>();

  constructor(query: AdvisedQuery, root: Expression, use: Use, facts: Facts) {
    this.#query = query;
    this.#root = root;
    this.#use = use;
    this.#facts = facts;
    for (const expression of subexpressions(root)) {
      const difference = valueDifference(expression, query);
      if (difference !== undefined) this.#differences.set(expression, difference);
    }
  }

  report(): void {
    const candidates = this.#origins();
    if (candidates.length > MAX_ORIGINS || !this.#differs(candidates)) return;
    const alone = candidates.filter((origin) => this.#differs([origin]));
    let rest = candidates.filter((origin) => !alone.includes(origin));
    const together: Origin[] = [];
    // What differs only in concert, such as NOT over AND, is reported at its outermost operator.
    while (this.#differs(rest)) {
      const part = rest;
      const needed = part.find((origin) => !this.#differs(part.filter((o) => o !== origin)));
      const chosen = needed ?? part[0];
      if (chosen === undefined) break;
      together.push(chosen);
      rest = part.filter((origin) => origin !== chosen);
    }
    for (const origin of [...alone, ...together]) {
      const { message, fix } = this.#describe(origin);
      this.#query.report.info(CODE, origin.expression, message, fix);
    }
  }

  /** Where a difference can begin, outermost first. */
  #origins(): readonly Origin[] {
    return subexpressions(this.#root).flatMap((expression): Origin[] => {
      const isOperator =
        this.#differences.has(expression) ||
        (expression.kind === 'call' && LOGIC.has(expression.name));
      return [
        ...(isOperator ? [{ expression, kind: 'operator' } as const] : []),
        ...(isOddTruth(expression, this.#query)
          ? [{ expression, kind: 'text as truth' } as const]
          : []),
      ];
    });
  }

  #differs(exactOnes: readonly Origin[]): boolean {
    const operators = new Set<Expression>();
    const truths = new Set<Expression>();
    for (const { kind, expression } of exactOnes) {
      (kind === 'operator' ? operators : truths).add(expression);
    }
    const evaluator = new OutcomeEvaluator(this.#query, this.#differences, ({ kind, expression }) =>
      (kind === 'operator' ? operators : truths).has(expression),
    );
    const isCondition = this.#use === 'truth';
    const outcomes = isCondition
      ? evaluator.asTruth(this.#root, this.#facts, true)
      : evaluator.evaluate(this.#root, this.#facts);
    return isDifferent(outcomes, this.#use);
  }

  #describe({ expression, kind }: Origin): ValueDifference {
    if (kind === 'text as truth') return textTruthDifference(expression, this.#query);
    const ofValues = this.#differences.get(expression);
    if (ofValues !== undefined) return ofValues;
    if (expression.kind !== 'call') return { message: 'This differs in edition 4', fix: '' };
    const nullable = leavesOf(expression).filter((leaf) => this.#isNullable(leaf));
    return logicDifference(expression, distinct(nullable), this.#use, this.#query);
  }

  #isNullable(leaf: Expression): boolean {
    const evaluator = new OutcomeEvaluator(this.#query, this.#differences, () => true);
    const facts = this.#use === 'truth' ? factsWhenTrue(this.#root, true) : [];
    return mayBeNull(evaluator.evaluate(leaf, withFacts(this.#facts, facts)));
  }
}

/** Operators that treat NULL, or what counts as true, in their own way. */
const LOGIC: ReadonlySet<string> = new Set([
  'not', 'and', 'or', '!=', 'between', 'in list', 'is true', 'is not true', 'is false',
  'is not false',
]); // prettier-ignore

/** The expression and its parts, outermost first. */
function subexpressions(expression: Expression): readonly Expression[] {
  const parts = expression.kind === 'call' ? expression.args.flatMap(subexpressions) : [];
  return [expression, ...parts];
}

function distinct(expressions: readonly Expression[]): readonly Expression[] {
  const byPlace = new Map(expressions.map((e) => [`${e.start} ${e.end}`, e]));
  return [...byPlace.values()];
}
