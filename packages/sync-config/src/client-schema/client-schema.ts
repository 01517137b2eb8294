import { INTEGER, REAL, TEXT, type ValueTypes } from '../expr/value-types.ts';

/**
 * What a client must know to read what a config syncs. In the order of the config; without what is
 * implied: every table has a text column `id`. Source: spec/sync-config.md 17.4 and 17.5.
 */
export interface ClientSchema {
  readonly tables: readonly ClientTable[];
  /** Streams that a client has to ask for. */
  readonly streams: readonly ClientStream[];
}

export interface ClientTable {
  readonly name: string;
  readonly columns: readonly ClientColumn[];
}

export interface ClientColumn {
  readonly name: string;
  readonly type: ClientType;
  /** The storage classes that values may have: BLOB 1, TEXT 2, INTEGER 4, REAL 8; 0: not known. */
  readonly types: ValueTypes;
}

/** The three types of columns that client SDKs know. */
export type ClientType = 'text' | 'integer' | 'real';

export interface ClientStream {
  readonly name: string;
  /** By name. */
  readonly parameters: readonly StreamParameter[];
}

/** A `subscription.parameter('name')`. */
export interface StreamParameter {
  readonly name: string;
  /** `any`: it is used in other ways than being matched with columns of one known type. */
  readonly type: ClientType | 'any';
  /** The client passes an array of such values. */
  readonly isList: boolean;
}

/** Text holds everything; a BLOB never arrives, and what is not known is text (17.4). */
export function clientType(types: ValueTypes): ClientType {
  if ((types & TEXT) !== 0) return 'text';
  if ((types & REAL) !== 0) return 'real';
  return (types & INTEGER) !== 0 ? 'integer' : 'text';
}
