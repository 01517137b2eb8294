import type { Expression } from '../expr/expression.ts';
import type { ExprSyntax } from '../sql/syntax.ts';
import type { Formula } from './formula.ts';
import type { Scope } from './scope.ts';
import type { SourceList } from './source.ts';

/** A SELECT with its names resolved. */
export interface BoundSelect {
  readonly scope: Scope;
  /** The sources of FROM, those of its subqueries and CTEs included. */
  readonly sources: readonly number[];
  /** WHERE, ON, and the conditions of subqueries and CTEs in FROM. */
  readonly condition: Formula;
  bind(syntax: ExprSyntax): Expression;
}

/** A SELECT whose columns have names: a subquery in FROM, or a CTE. */
export interface DerivedSelect {
  readonly columns: ReadonlyMap<string, Expression>;
  readonly bound: BoundSelect;
}

/** A named SELECT; every mention is a copy with its own sources. */
export interface Cte {
  bind(into: SourceList): DerivedSelect;
}

export interface CteFinder {
  /** Case-insensitive. */
  find(name: string): Cte | undefined;
  /** Whether it is a CTE that cannot be used here. */
  isHidden(name: string): boolean;
}
