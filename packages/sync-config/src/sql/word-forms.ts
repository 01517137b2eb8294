import type { FormParser } from './form-parser.ts';
import type { ExprSyntax } from './syntax.ts';
import type { Token } from './token.ts';

/** Expressions that begin with a word of their own: CASE, CAST, ARRAY, ROW, EXISTS. */

export function parseCase(parser: FormParser): ExprSyntax {
  const { tokens } = parser;
  const { start } = tokens.next();
  const operand = tokens.isWord('when') ? undefined : parser.parse();
  const whens: { when: ExprSyntax; result: ExprSyntax }[] = [];
  while (tokens.takeWord('when')) {
    const when = parser.parse();
    tokens.expectWord('then');
    whens.push({ when, result: parser.parse() });
  }
  if (whens.length === 0) throw tokens.unexpected('WHEN');
  const otherwise = tokens.takeWord('else') ? parser.parse() : undefined;
  const { end } = tokens.expectWord('end');
  return { kind: 'case', operand, whens, otherwise, start, end };
}

export function parseCast(parser: FormParser): ExprSyntax {
  const { tokens } = parser;
  const { start } = tokens.next();
  tokens.expectSymbol('(');
  const operand = parser.parse();
  tokens.expectWord('as');
  const type = tokens.expectName('a type', true);
  const { end } = tokens.expectSymbol(')');
  return { kind: 'cast', operand, type, start, end };
}

/** `ARRAY[a, b]` and `ROW(a, b)`. */
export function parseBracketed(parser: FormParser, open: '[' | '('): ExprSyntax {
  const { tokens } = parser;
  const close = open === '[' ? ']' : ')';
  const { start } = tokens.next();
  const form = open === '[' ? 'array' : 'row';
  const bracket = tokens.expectSymbol(open);
  const items = expressionsUntil(parser, close, bracket);
  return { kind: 'array', form, items, start, end: tokens.lastEnd() };
}

function expressionsUntil(parser: FormParser, close: string, open: Token): ExprSyntax[] {
  const { tokens } = parser;
  const items: ExprSyntax[] = [];
  if (tokens.takeSymbol(close)) return items;
  do items.push(parser.parse());
  while (tokens.takeSymbol(','));
  tokens.expectClosing(close, open);
  return items;
}

export function parseExists(parser: FormParser): ExprSyntax {
  const { tokens } = parser;
  const { start } = tokens.next();
  const open = tokens.next();
  const select = parser.parseSelect();
  const { end } = tokens.expectClosing(')', open);
  return { kind: 'exists', select, start, end };
}
