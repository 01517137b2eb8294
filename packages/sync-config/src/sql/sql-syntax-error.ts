import type { Span } from '../diagnostics.ts';

/** Ends the parsing of one SQL string; the parser's entry turns it into a diagnostic. */
export class SqlSyntaxError extends Error {
  readonly code: string;
  readonly span: Span;
  readonly fix: string | undefined;

  constructor(code: string, span: Span, message: string, fix?: string) {
    super(message);
    this.code = code;
    this.span = span;
    this.fix = fix;
  }
}
