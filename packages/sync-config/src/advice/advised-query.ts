import type { SqliteType } from '@sluice/model';
import type { Reporter } from '../diagnostics.ts';
import type { Expression } from '../expr/expression.ts';
import type { SelectSyntax } from '../sql/syntax.ts';

/** What a column is known to hold; `boolean` is INTEGER 0 or 1. */
export type KnownType = SqliteType | 'boolean';

/** A query with its names resolved, for those who give advice on it. */
export interface AdvisedQuery {
  readonly report: Reporter;
  readonly sql: string;
  readonly select: SelectSyntax;
  readonly edition: number;
  readonly fixedJsonExtract: boolean;
  /** Everything that rows must fulfil, joined by AND; matches by IN (SELECT ...) are `opaque`. */
  readonly condition: Expression | undefined;
  /** Values that are output. */
  readonly values: readonly Expression[];
  /** Undefined where nothing is known. */
  columnType(source: number, column: string): KnownType | undefined;
  /** Whether a source gives the elements of a JSON array. */
  isElement(source: number): boolean;
}

/** Takes queries as they are compiled. */
export type Advisor = (query: AdvisedQuery) => void;

/** Name of an operator that stands for a condition which is decided by other means. */
export const OPAQUE = 'opaque';
