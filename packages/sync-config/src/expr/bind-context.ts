import type { Reporter } from '../diagnostics.ts';
import type { Grammar } from '../sql/grammar.ts';
import type { CallSyntax, ExprSyntax } from '../sql/syntax.ts';
import type { Dialect } from '../values/dialect.ts';
import type { Expression } from './expression.ts';

/** What differs between the places where expressions stand. */
export interface BindContext {
  readonly report: Reporter;
  readonly grammar: Grammar;
  readonly dialect: Dialect;
  readonly edition: number;
  /** The SQL text, for messages. */
  readonly sql: string;
  resolveName(name: NameSyntax): Expression;
  /** Whether an expression is a column of a table, and so no value of the request. */
  isRowColumn(expression: Expression): boolean;
  /** Request functions and the like; undefined when the name is not one. */
  resolveCall(call: CallSyntax): Expression | undefined;
  /** Names to offer for a misspelt function, besides the dialect's. */
  readonly specialFunctions: readonly string[];
}

export type NameSyntax = Extract<ExprSyntax, { kind: 'name' }>;
