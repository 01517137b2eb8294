import { canonicalText, REQUEST_SOURCE, type Expression } from '../expr/expression.ts';
import { isTrue } from '../values/conversions.ts';
import { leadingNumber } from '../values/number-text.ts';
import type { AdvisedQuery } from './advised-query.ts';
import { factsWhenFalse, factsWhenTrue, withFacts, type Facts } from './facts.ts';
import {
  combinations,
  exact,
  isDifferent,
  mayBeNull,
  now,
  outcomes,
  pairOf,
  sameValue,
  type Outcomes,
  type Pair,
  type Truth,
} from './outcome.ts';
import type { ValueDifference } from './value-difference.ts';
import { valueTypes } from './value-type.ts';

/** A place where the two semantics part: an operator, or a text that is taken for true or false. */
export interface Origin {
  readonly expression: Expression;
  readonly kind: 'operator' | 'text as truth';
}

/** The operators whose values differ, NULL aside. */
export type ValueDifferences = ReadonlyMap<Expression, ValueDifference>;

/** Works out what an expression may come to when only some places follow exact semantics. */
export class OutcomeEvaluator {
  readonly #query: AdvisedQuery;
  readonly #differences: ValueDifferences;
  readonly #isExact: (origin: Origin) => boolean;

  constructor(
    query: AdvisedQuery,
    differences: ValueDifferences,
    isExact: (origin: Origin) => boolean,
  ) {
    this.#query = query;
    this.#differences = differences;
    this.#isExact = isExact;
  }

  /** `isPositive`: see `factsWhenTrue`. */
  evaluate(expression: Expression, facts: Facts, isPositive = false): Outcomes {
    if (expression.kind === 'constant') {
      const truth = expression.value === null ? 'N' : isTrue(expression.value) ? 'T' : 'F';
      return outcomes([pairOf(truth, truth)]);
    }
    if (expression.kind !== 'call') {
      const isPresent = expression.kind === 'table fact' || facts.has(canonicalText(expression));
      return sameValue(!isPresent);
    }
    return this.#call(expression, facts, isPositive);
  }

  /** As `evaluate`, where the value is taken for true or false. */
  asTruth(expression: Expression, facts: Facts, isPositive = false): Outcomes {
    const result = this.evaluate(expression, facts, isPositive);
    return this.#isExact({ expression, kind: 'text as truth' })
      ? outcomes([...result.pairs, 'FT'], result.differs)
      : result;
  }

  #follows(expression: Expression): boolean {
    return this.#isExact({ expression, kind: 'operator' });
  }

  #call(
    expression: Extract<Expression, { kind: 'call' }>,
    facts: Facts,
    isPositive: boolean,
  ): Outcomes {
    const { name, args } = expression;
    const follows = this.#follows(expression);
    switch (name) {
      case 'not':
        return combine([this.#truthAt(args, 0, facts)], ([a = 'N'], isExact) =>
          isExact && follows && a === 'N' ? 'N' : a === 'T' ? 'F' : 'T',
        );
      case 'and':
      case 'or':
        return this.#junction(expression, facts, isPositive, follows);
      case 'is null':
        return combine([this.#at(args, 0, facts)], ([a]) => (a === 'N' ? 'T' : 'F'));
      case 'is not null':
        return combine([this.#at(args, 0, facts)], ([a]) => (a === 'N' ? 'F' : 'T'));
      case 'is true':
      case 'is not true':
      case 'is false':
      case 'is not false':
        return this.#isTruth(expression, facts, follows);
      case 'opaque':
        return outcomes(this.#anyDiffers(args, facts) ? ANY_TRUTH : ['TT', 'FF']);
      case 'ifnull':
      case 'coalesce':
        return this.#firstPresent(args, facts);
      case 'iif':
      case 'case':
      case 'case of':
        return this.#choice(expression, facts);
      default:
        return this.#strict(expression, facts, follows);
    }
  }

  #at(args: readonly Expression[], index: number, facts: Facts): Outcomes {
    const arg = args[index];
    return arg === undefined ? outcomes(['NN']) : this.evaluate(arg, facts);
  }

  #truthAt(args: readonly Expression[], index: number, facts: Facts): Outcomes {
    const arg = args[index];
    return arg === undefined ? outcomes(['NN']) : this.asTruth(arg, facts);
  }

  #anyDiffers(args: readonly Expression[], facts: Facts): boolean {
    return args.some((arg) => isDifferent(this.evaluate(arg, facts), 'value'));
  }

  #junction(
    { name, args: [left, right] }: Extract<Expression, { kind: 'call' }>,
    facts: Facts,
    isPositive: boolean,
    follows: boolean,
  ): Outcomes {
    if (left === undefined || right === undefined) return sameValue(false);
    const isAnd = name === 'and';
    const known = (other: Expression) =>
      withFacts(facts, isAnd ? factsWhenTrue(other, isPositive) : factsWhenFalse(other));
    const operands = [
      this.asTruth(left, known(right), isPositive),
      this.asTruth(right, known(left), isPositive),
    ];
    const decisive = isAnd ? 'F' : 'T';
    return combine(operands, (truths, isExact) => {
      const known = isExact && follows ? truths : truths.map((t) => (t === 'N' ? 'F' : t));
      if (known.includes(decisive)) return decisive;
      return known.includes('N') ? 'N' : isAnd ? 'T' : 'F';
    });
  }

  /** Now only the numbers 1 and 0 are TRUE and FALSE; exactly, whatever counts as such. */
  #isTruth(
    { name, args }: Extract<Expression, { kind: 'call' }>,
    facts: Facts,
    follows: boolean,
  ): Outcomes {
    const [operand] = args;
    const types = operand && valueTypes(operand, this.#query);
    const wanted = name.endsWith('true') ? 'T' : 'F';
    const others =
      wanted === 'T' ? (['integer', 'real', 'text'] as const) : (['real', 'text'] as const);
    const isOther = others.some((type) => types?.has(type) === true);
    const value = this.#truthAt(args, 0, facts);
    const plain = combine([value], ([a]) => (a === wanted ? 'T' : 'F'));
    const pairs = new Set(plain.pairs);
    if (isOther && follows) pairs.add('FT');
    const isNegated = name.includes('not');
    return isNegated
      ? combine([{ ...plain, pairs }], ([a]) => (a === 'T' ? 'F' : 'T'))
      : { ...plain, pairs };
  }

  #firstPresent(args: readonly Expression[], facts: Facts): Outcomes {
    const operands = args.map((arg) => this.evaluate(arg, facts));
    const result = combine(operands, (truths) => truths.find((truth) => truth !== 'N') ?? 'N');
    return outcomes(
      result.pairs,
      operands.some(({ differs }) => differs),
    );
  }

  #choice({ name, args }: Extract<Expression, { kind: 'call' }>, facts: Facts): Outcomes {
    const { conditions, results, isTotal, operand } = splitChoice(name, args);
    const branches = results.map((result) => this.evaluate(result, facts));
    const chosen = conditions.some((condition) =>
      operand === undefined
        ? isDifferent(this.asTruth(condition, facts), 'truth')
        : this.#anyDiffers([operand, condition], facts),
    );
    const pairs = new Set(branches.flatMap((branch) => [...branch.pairs]));
    if (!isTotal) pairs.add('NN');
    if (!chosen)
      return outcomes(
        pairs,
        branches.some(({ differs }) => differs),
      );
    const all = [...pairs];
    return outcomes(
      all.flatMap((a) => all.map((b) => pairOf(now(a), exact(b)))),
      true,
    );
  }

  /** Operators that give NULL for NULL, as all the others do. */
  #strict(
    expression: Extract<Expression, { kind: 'call' }>,
    facts: Facts,
    follows: boolean,
  ): Outcomes {
    const { name, args } = expression;
    const isIn = name.startsWith('in ');
    const operands = (isIn ? args.slice(0, 1) : args).map((arg) => this.evaluate(arg, facts));
    const rest = isIn ? args.slice(1).map((arg) => this.evaluate(arg, facts)) : [];
    const own = follows && this.#differences.has(expression);
    const differs = own || [...operands, ...rest].some((operand) => operand.differs);
    const ofNull: Truth = name === '!=' && this.#query.edition >= 3 ? 'T' : 'N';
    const pairs = new Set<Pair>();
    for (const combination of combinations(operands)) {
      const isNull = combination.some((pair) => now(pair) === 'N');
      const isExactNull = combination.some((pair) => exact(pair) === 'N');
      const after: readonly Truth[] = isExactNull ? [follows ? 'N' : ofNull] : ['T', 'F'];
      if (isNull) for (const truth of after) pairs.add(pairOf(ofNull, truth));
      else if (isExactNull) for (const truth of ['T', 'F'] as const) pairs.add(pairOf(truth, 'N'));
      else for (const pair of differs ? ANY_TRUTH : (['TT', 'FF'] as const)) pairs.add(pair);
    }
    if (NEVER_NULL.has(name)) return outcomes(differs ? ANY_TRUTH : ['TT', 'FF'], differs);
    if (this.#maySomehowBeNull(expression)) pairs.add('NN');
    if (name === 'between' && pairs.has('NN') && follows) pairs.add('NF');
    if (isIn && rest.some(mayBeNull) && name === 'in list' && follows) pairs.add('FN');
    return outcomes(pairs, differs);
  }

  /** Operators that may give NULL for values that are none. */
  #maySomehowBeNull({ name, args }: Extract<Expression, { kind: 'call' }>): boolean {
    if (name === '/') {
      const divisor = args[1];
      return divisor?.kind !== 'constant' || Number(divisor.value) === 0;
    }
    if (name === 'parameter') {
      const [of, key] = args;
      const isUser =
        of?.kind === 'column' && of.source === REQUEST_SOURCE && of.column === 'auth' &&
        key?.kind === 'constant' && key.value === '$.sub'; // prettier-ignore
      return !isUser;
    }
    return MAY_BE_NULL.has(name);
  }
}

const ANY_TRUTH: readonly Pair[] = ['TT', 'FF', 'TF', 'FT'];
const NEVER_NULL = new Set(['typeof', 'hex', 'base64']);
const MAY_BE_NULL = new Set([
  '->', '->>', 'json_extract', 'json_array_length', 'unixepoch', 'datetime', 'st_x', 'st_y',
]); // prettier-ignore

/** Applies an operator to every combination; `isExact` says for which side. */
function combine(
  operands: readonly Outcomes[],
  apply: (truths: readonly Truth[], isExact: boolean) => Truth,
): Outcomes {
  return outcomes(
    combinations(operands).map((pairs) =>
      pairOf(apply(pairs.map(now), false), apply(pairs.map(exact), true)),
    ),
  );
}

interface Choice {
  readonly operand: Expression | undefined;
  readonly conditions: readonly Expression[];
  readonly results: readonly Expression[];
  /** Whether there is an ELSE. */
  readonly isTotal: boolean;
}

function splitChoice(name: string, args: readonly Expression[]): Choice {
  if (name === 'iif') {
    return {
      operand: undefined,
      conditions: args.slice(0, 1),
      results: args.slice(1),
      isTotal: true,
    };
  }
  const operand = name === 'case of' ? args[0] : undefined;
  const rest = operand === undefined ? args : args.slice(1);
  const isTotal = rest.length % 2 === 1;
  const branches = isTotal ? rest.slice(0, -1) : rest;
  return {
    operand,
    conditions: branches.filter((_, i) => i % 2 === 0),
    results: rest.filter((_, i) => i % 2 === 1 || i === branches.length),
    isTotal,
  };
}

/** Whether a value is a text that may count as true exactly and as false now, such as `0.7`. */
export function isOddTruth(expression: Expression, query: AdvisedQuery): boolean {
  if (expression.kind !== 'constant') return valueTypes(expression, query)?.has('text') === true;
  const { value } = expression;
  return typeof value === 'string' && isTrue(value) !== (Number(leadingNumber(value)) !== 0);
}
