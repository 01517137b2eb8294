/** What a request to the data API asks for, whatever way it was written. Names are checked later. */
export interface RowQuery {
  readonly table: string;
  /** Undefined: all columns. */
  readonly select: readonly string[] | undefined;
  readonly where: Condition;
  readonly order: readonly Ordering[];
  readonly limit: number;
  readonly offset: number;
  /** From the answer before: goes on behind its last row. */
  readonly after: string | undefined;
  /** Whether to count all rows that fit, too. */
  readonly count: boolean;
}

export interface AggregateQuery {
  readonly table: string;
  readonly where: Condition;
  readonly groupBy: readonly string[];
  readonly aggregates: readonly Aggregate[];
  readonly limit: number;
}

export interface Aggregate {
  readonly function: AggregateFunction;
  /** Undefined: of rows, for `count`. */
  readonly column: string | undefined;
}

export const AGGREGATE_FUNCTIONS = ['count', 'sum', 'avg', 'min', 'max'] as const;
type AggregateFunction = (typeof AGGREGATE_FUNCTIONS)[number];

export interface Ordering {
  readonly column: string;
  readonly descending: boolean;
}

export const COMPARISONS = [
  'eq',
  'ne',
  'lt',
  'lte',
  'gt',
  'gte',
  'like',
  'ilike',
  'contains',
] as const;
export type Comparison = (typeof COMPARISONS)[number];

export type Condition =
  | {
      readonly kind: 'compare';
      readonly column: string;
      readonly op: Comparison;
      readonly value: string;
    }
  | { readonly kind: 'in'; readonly column: string; readonly values: readonly string[] }
  | { readonly kind: 'is_null'; readonly column: string }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition };

export const LIMITS = {
  defaultRows: 100,
  maxRows: 1_000,
  maxOffset: 100_000,
  /** Comparisons of a condition, and values of one `in`. */
  maxComparisons: 100,
  maxListValues: 1_000,
  maxDepth: 10,
  maxOrderings: 8,
} as const;
