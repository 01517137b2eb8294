import type { FormParser } from './form-parser.ts';
import type { ExprSyntax, LikeSyntax } from './syntax.ts';

/** `IS [NOT] [DISTINCT FROM] x`. NULL, TRUE and FALSE have meanings of their own. */
export function parseIs(parser: FormParser, left: ExprSyntax, level: number): ExprSyntax {
  const { tokens } = parser;
  const operatorSpan = tokens.next();
  let negated = tokens.takeWord('not');
  const from = tokens.peek(1);
  if (tokens.isWord('distinct') && from.kind === 'word' && from.value === 'from') {
    tokens.next();
    tokens.next();
    negated = !negated;
  }
  const right = parser.parse(level + 1);
  const span = { start: left.start, end: right.end };
  const what = wordAfterIs(right);
  if (what !== undefined) return { kind: 'is', operand: left, negated, what, ...span };
  const operator = negated ? 'is not' : 'is';
  return { kind: 'binary', operator, operatorSpan, left, right, ...span };
}

function wordAfterIs(right: ExprSyntax): 'null' | 'true' | 'false' | undefined {
  if (right.kind === 'collate') return wordAfterIs(right.operand);
  if (right.kind !== 'literal') return undefined;
  if (right.value === null) return 'null';
  if (right.isTruthWord !== true) return undefined;
  return right.value === 1n ? 'true' : 'false';
}

/** `[NOT] LIKE pattern [ESCAPE character]`, ILIKE and GLOB; NOT has been taken. */
export function parseLike(
  parser: FormParser,
  operand: ExprSyntax,
  negated: boolean,
  level: number,
): ExprSyntax {
  const { tokens } = parser;
  const { value, start: from, end: to } = tokens.next();
  const operator: LikeSyntax['operator'] = value === 'glob' || value === 'ilike' ? value : 'like';
  const operatorSpan = { start: from, end: to };
  const pattern = parser.parse(level + 1);
  const escape = tokens.takeWord('escape') ? parser.parse(level + 1) : undefined;
  const { end } = escape ?? pattern;
  const { start } = operand;
  const parts = { operator, operatorSpan, negated, operand, pattern, escape };
  return { kind: 'like', ...parts, start, end };
}

/** `(a, b)` or `(SELECT ...)` after IN; a list may be empty. */
export function parseList(parser: FormParser): ExprSyntax {
  const { tokens } = parser;
  const subquery = parser.parseSubquery();
  if (subquery !== undefined) return subquery;
  const open = tokens.expectSymbol('(');
  const items: ExprSyntax[] = [];
  if (!tokens.isSymbol(')')) {
    do items.push(parser.parse(0));
    while (tokens.takeSymbol(','));
  }
  const { end } = tokens.expectClosing(')', open);
  const [only, second] = items;
  if (only?.kind === 'select' && second === undefined) return only;
  return { kind: 'array', form: 'parentheses', items, start: open.start, end };
}
