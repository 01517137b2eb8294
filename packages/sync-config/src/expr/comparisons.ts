import type { Span } from '../diagnostics.ts';
import type { Dialect } from '../values/dialect.ts';
import { formatComparison } from '../values/sqlite/comparison.ts';
import {
  affinityOf,
  collationOf,
  comparisonAffinity,
  comparisonCollation,
  type Affinity,
} from './affinity.ts';
import { constant, operatorCall, type Expression } from './expression.ts';

/** Binds everything that compares. Affinities and collations are settled here and nowhere else. */
export interface Comparisons {
  /** `=`, `<`, `is` ... */
  compare(name: string, left: Expression, right: Expression, span: Span): Expression;
  between(operand: Expression, low: Expression, high: Expression, span: Span): Expression;
  inList(operand: Expression, items: readonly Expression[], span: Span): Expression;
  /** `name`: how the JSON's elements are taken, `in json` or `in each`. */
  inElements(name: string, operand: Expression, json: Expression, span: Span): Expression;
  caseOf(
    operand: Expression,
    branches: readonly (readonly [when: Expression, then: Expression])[],
    otherwise: Expression | undefined,
    span: Span,
  ): Expression;
  /** An expression that stands for the column of a subquery or CTE. */
  column(expression: Expression): Expression;
  /** A call of a function that compares its arguments, such as `max`. */
  call(name: string, args: readonly Expression[], span: Span): Expression;
}

export function comparisonsOf(dialect: Dialect): Comparisons {
  return dialect.hasAffinity ? WITH_AFFINITY : PLAIN;
}

/** Values compare as they are. */
const PLAIN: Comparisons = {
  compare: (name, left, right, span) => operatorCall(name, [left, right], span),
  between: (operand, low, high, span) => operatorCall('between', [operand, low, high], span),
  inList: (operand, items, span) => operatorCall('in list', [operand, ...items], span),
  inElements: (name, operand, json, span) => operatorCall(name, [operand, json], span),
  caseOf(operand, branches, otherwise, span) {
    const args = [operand, ...branches.flat()];
    return operatorCall('case of', otherwise === undefined ? args : [...args, otherwise], span);
  },
  column: (expression) => expression,
  call: (name, args, span) => functionCall(name, args, span),
};

const COMPARING_FUNCTIONS = new Set(['min', 'max', 'nullif']);

/** As SQLite does it. */
const WITH_AFFINITY: Comparisons = {
  compare(name, left, right, span) {
    const affinity = comparisonAffinity(affinityOf(left), affinityOf(right));
    const collation = comparisonCollation(left, right);
    const args = [applyAffinity(left, affinity), applyAffinity(right, affinity)];
    return operatorCall(collation === 'binary' ? name : `${name} ${collation}`, args, span);
  },
  between(operand, low, high, span) {
    const args = [operand, how(operand, low), low, how(operand, high), high];
    return operatorCall('between', args, span);
  },
  // The items have no affinity and no collation of their own here; COLLATE on them is ignored.
  inList(operand, items, span) {
    return operatorCall('in list', [operand, ownHow(operand, undefined), ...items], span);
  },
  inElements(name, operand, json, span) {
    return operatorCall(name, [operand, ownHow(operand, 'blob'), json], span);
  },
  caseOf(operand, branches, otherwise, span) {
    const args = branches.flatMap(([when, then]) => [how(operand, when), when, then]);
    const all = otherwise === undefined ? args : [...args, otherwise];
    return operatorCall('case by', [operand, ...all], span);
  },
  // A name does not pass on a COLLATE, nor that a text was made by a JSON function.
  column(expression) {
    return expression.kind === 'call' || expression.kind === 'constant'
      ? operatorCall('column', [expression], expression)
      : expression;
  },
  call(name, args, span) {
    if (!COMPARING_FUNCTIONS.has(name)) return functionCall(name, args, span);
    const collation = args.map(collationOf).find((own) => own !== undefined) ?? 'binary';
    if (collation === 'binary') return functionCall(name, args, span);
    return operatorCall(`${name} ${collation}`, args, span);
  },
};

/** How two operands compare, as the constant that an operator with several comparisons takes. */
function how(left: Expression, right: Expression): Expression {
  const affinity = comparisonAffinity(affinityOf(left), affinityOf(right));
  return constant(formatComparison(affinity, comparisonCollation(left, right)), right);
}

function ownHow(operand: Expression, other: Affinity | undefined): Expression {
  const affinity = comparisonAffinity(affinityOf(operand), other);
  return constant(formatComparison(affinity, collationOf(operand) ?? 'binary'), operand);
}

/** What CAST made has the storage class that the affinity would give it. */
function applyAffinity(
  expression: Expression,
  affinity: 'numeric' | 'text' | undefined,
): Expression {
  if (affinity === undefined || affinityOf(expression) === affinity) return expression;
  return operatorCall(`affinity ${affinity}`, [expression], expression);
}

function functionCall(name: string, args: readonly Expression[], span: Span): Expression {
  return { kind: 'call', table: 'function', name, args, start: span.start, end: span.end };
}
