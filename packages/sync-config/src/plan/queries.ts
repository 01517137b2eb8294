import type { TablePattern } from '@sluice/model';
import type { DefinitionInfo } from '../contract.ts';
import type { Expression } from '../expr/expression.ts';

/** A bucket definition or stream. */
export interface CompiledDefinition {
  readonly info: Omit<DefinitionInfo, 'hash' | 'tables'>;
  readonly queries: CompiledQueries;
}

/**
 * The compiled meaning of a sync config as plain values, before it is linked to tables and
 * requests. Both dialects of the language compile to this; everything after knows only this.
 */
export interface CompiledQueries {
  readonly rows: readonly RowQuery[];
  readonly lookups: readonly LookupQuery[];
  readonly buckets: readonly BucketQuery[];
}

/** A JSON document whose elements take part: `json_each(input)`. */
export interface Expansion {
  /** The number under which expressions read its `value` and `key`. */
  readonly source: number;
  readonly input: Expression;
  /** `array` refuses everything that is not a JSON array; `each` takes objects and scalars too. */
  readonly mode: 'array' | 'each';
}

/** Which rows of a table take part, and the values that they are filed under. */
export interface RowSelection {
  readonly pattern: TablePattern;
  /** The number under which expressions read the row. */
  readonly source: number;
  readonly expansions: readonly Expansion[];
  readonly filter: Expression | undefined;
  /** A row whose key has a NULL or BLOB is left out. */
  readonly keys: readonly Expression[];
}

/** Puts rows of a table into buckets. */
export interface RowQuery extends RowSelection {
  readonly definition: string;
  /**
   * Which query of the definition it comes from. A query with OR becomes several of these, and a row
   * on which one of them fails is left out by all (spec/sync-config.md 10.8).
   */
  readonly query: number;
  /** Bucket name without prefix and parameters. */
  readonly bucket: string;
  /** Client table name; undefined for the name of the table itself. */
  readonly objectType: string | undefined;
  readonly columns: readonly OutputColumn[];
}

export type OutputColumn =
  | {
      readonly kind: 'star';
      /** Legacy: leaves out names with `_`, and only fills what is absent or NULL so far. */
      readonly legacy: boolean;
    }
  | { readonly kind: 'value'; readonly name: string; readonly value: Expression };

/** Indexes rows of a table, so that requests find them by key. */
export interface LookupQuery extends RowSelection {
  readonly definition: string;
  readonly id: string;
  readonly outputs: readonly Expression[];
  /** Whether outputs may be NULL; otherwise such rows are left out. */
  readonly nullableOutputs: boolean;
}

/** Finds the buckets of a request. */
export interface BucketQuery {
  readonly definition: string;
  readonly bucket: string;
  readonly priority: number;
  readonly filter: Expression | undefined;
  readonly parameterCount: number;
  /** Independent of each other; their results are joined on the parameters that they share. */
  readonly components: readonly Component[];
}

export interface Component {
  readonly steps: readonly Step[];
  /** Without results a component only demands that some row exists. */
  readonly results: readonly { readonly position: number; readonly value: KeyValue }[];
}

export type Step =
  | { readonly kind: 'each'; readonly expansion: Expansion }
  | { readonly kind: 'filter'; readonly condition: Expression }
  | { readonly kind: 'lookup'; readonly id: string; readonly keys: readonly KeyValue[] };

export type KeyValue =
  /** A value of the request; `nullable` ones may be NULL, which matches no row. */
  | { readonly kind: 'request'; readonly value: Expression; readonly nullable: boolean }
  /** Output `index` of the lookup that is the n-th lookup step of the component. */
  | { readonly kind: 'output'; readonly lookup: number; readonly index: number };
