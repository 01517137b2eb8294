import { Lexer, Parser } from 'yaml';

/** Far more than a config needs, far less than exhausts the stack of who walks through it. */
export const MAX_YAML_DEPTH = 100;

/**
 * Where a YAML text becomes nested deeper than `MAX_YAML_DEPTH`; undefined if it does not. To be
 * asked before the text is parsed: the parser's first stage, which is used here, keeps a stack of
 * its own, but the next one calls itself per level, and a few kilobytes of brackets make V8 end the
 * whole process in there ("RegExpCompiler Allocation failed") rather than throw.
 */
export function findTooDeepYaml(text: string): number | undefined {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) void token; // its tokens do not matter, its depth does
    if (parser.stack.length > MAX_YAML_DEPTH) return Math.min(parser.offset, text.length);
  }
  return undefined;
}
