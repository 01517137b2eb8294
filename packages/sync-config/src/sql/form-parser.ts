import type { ExprSyntax, SelectSyntax } from './syntax.ts';
import type { TokenStream } from './token-stream.ts';

/** What the forms of expressions that stand in files of their own need of the parser. */
export interface FormParser {
  readonly tokens: TokenStream;
  /** An expression whose operators bind at least as tightly as `minLevel`, 0 when left out. */
  parse(minLevel?: number): ExprSyntax;
  parseSelect(): SelectSyntax;
  /** `(SELECT ...)`; undefined, with nothing taken, when there is none. */
  parseSubquery(): ExprSyntax | undefined;
}
