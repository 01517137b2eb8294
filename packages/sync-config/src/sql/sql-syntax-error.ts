import type { Fix, Reporter, Span } from '../diagnostics.ts';

/** Ends the reading of a part of an SQL text; caught where reading can go on. */
export class SqlSyntaxError extends Error {
  readonly code: string;
  readonly span: Span;
  readonly fix: string | Fix | undefined;

  constructor(code: string, span: Span, message: string, fix?: string | Fix) {
    super(message);
    this.code = code;
    this.span = span;
    this.fix = fix;
  }
}

/** Takes what is wrong with an SQL text; reading goes on after it. */
export type SqlProblems = Pick<Reporter, 'error'>;

/** For those who want nothing but a faultless text. @throws SqlSyntaxError */
export const NO_PROBLEMS: SqlProblems = {
  error(code, span, message, fix) {
    throw new SqlSyntaxError(code, span, message, fix);
  },
};
