import type { FormParser } from './form-parser.ts';
import type { ExprSyntax, Identifier } from './syntax.ts';

/** A name, a call, or a text with its type in front; reserved words only where asked for. */
export function parseNameOrCall(parser: FormParser, mayBeReserved = false): ExprSyntax {
  const { tokens } = parser;
  const parts: Identifier[] = [tokens.expectName('a name', mayBeReserved)];
  while (tokens.isSymbol('.') && !tokens.isSymbol('*', 1)) {
    tokens.next();
    parts.push(tokens.expectName('a name', true));
  }
  const [first] = parts;
  const start = first?.start ?? 0;
  if (tokens.isSymbol('(')) return parseCall(parser, parts, start);
  const token = tokens.peek();
  if (token.kind === 'text' && parts.length === 1 && first?.quoted === false) {
    tokens.next();
    return { kind: 'typed text', type: first.name, value: token.value, start, end: token.end };
  }
  return { kind: 'name', parts, start, end: tokens.lastEnd() };
}

function parseCall(parser: FormParser, name: readonly Identifier[], start: number): ExprSyntax {
  const { tokens } = parser;
  const open = tokens.next();
  const args: ExprSyntax[] = [];
  let decoration = tokens.isWord('distinct') ? tokens.next() : undefined;
  if (tokens.isSymbol('*')) {
    decoration = tokens.next();
  } else if (!tokens.isSymbol(')')) {
    do args.push(parser.parse());
    while (tokens.takeSymbol(','));
  }
  if (tokens.isWord('from', 'order')) {
    decoration = tokens.peek();
    tokens.skipTo(')');
  } else {
    tokens.expectClosing(')', open);
  }
  if (tokens.isWord('over', 'filter') && tokens.isSymbol('(', 1)) {
    decoration = tokens.next();
    tokens.skipTo(')');
  }
  return { kind: 'call', name, args, decoration, start, end: tokens.lastEnd() };
}

/** As other calls, but `substring(text FROM 2)` is a form of its own. */
export function parseSubstring(parser: FormParser): ExprSyntax {
  const name = parser.tokens.peek();
  const call = parseNameOrCall(parser);
  if (call.kind === 'call' && call.decoration !== undefined) {
    const what = 'substring(... FROM ...)';
    return { kind: 'unsupported', what, start: name.start, end: call.end };
  }
  return call;
}
