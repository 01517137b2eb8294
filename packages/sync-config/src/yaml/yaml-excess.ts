import { Lexer, Parser } from 'yaml';

/** Far more than a config needs, far less than exhausts the stack of who walks through it. */
export const MAX_YAML_DEPTH = 100;
/** About 20,000 keys; the parser takes a second for them, and four for twice as many. */
const MAX_LEXEMES = 100_000;

export interface YamlExcess {
  readonly offset: number;
  readonly message: string;
}

/**
 * What makes a YAML text too much for the parser; undefined for all that people write. To be asked
 * before the text is parsed: the parser's first stage, which is used here, keeps a stack of its own,
 * but the next one calls itself per level, and a few kilobytes of brackets make V8 end the whole
 * process in there ("RegExpCompiler Allocation failed") rather than throw.
 */
export function findYamlExcess(text: string): YamlExcess | undefined {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) void token; // its tokens do not matter, its depth does
    lexemes += 1;
    const offset = Math.min(parser.offset, text.length);
    if (parser.stack.length > MAX_YAML_DEPTH) {
      return { offset, message: `The file is nested deeper than ${MAX_YAML_DEPTH} levels here` };
    }
    if (lexemes > MAX_LEXEMES) return { offset, message: 'The file has too many parts' };
  }
  return undefined;
}
