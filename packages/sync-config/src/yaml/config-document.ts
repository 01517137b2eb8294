import type { SyncOptions } from '../contract.ts';
import type { Span } from '../diagnostics.ts';
import type { SqlText } from './sql-text.ts';

/** The YAML file after its shape is checked and before any SQL is read. */
export interface ConfigDocument {
  readonly edition: number;
  /** `unstable_sqlite_expression_engine`; always in edition 4. */
  readonly sqliteExpressions: boolean;
  readonly options: SyncOptions;
  readonly bucketDefinitions: readonly BucketDefinitionDocument[];
  readonly streams: readonly StreamDocument[];
  readonly events: readonly EventDocument[];
  /** CTEs that every stream sees. */
  readonly ctes: readonly CteDocument[];
}

export interface BucketDefinitionDocument {
  readonly name: string;
  readonly nameSpan: Span;
  /** Undefined when absent: one static query without outputs. */
  readonly parameters: readonly SqlText[] | undefined;
  readonly data: readonly SqlText[];
  readonly priority: number | undefined;
  readonly acceptsDangerousQueries: boolean;
}

export interface StreamDocument {
  readonly name: string;
  readonly nameSpan: Span;
  readonly queries: readonly SqlText[];
  readonly ctes: readonly CteDocument[];
  readonly autoSubscribe: boolean;
  readonly priority: number;
  readonly acceptsDangerousQueries: boolean;
}

export interface EventDocument {
  readonly name: string;
  readonly payloads: readonly SqlText[];
}

export interface CteDocument {
  readonly name: string;
  readonly nameSpan: Span;
  readonly query: SqlText;
}
