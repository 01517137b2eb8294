/**
 * A checked schema as plain data: what crosses to the thread of the database, and what everything
 * below the public API works with. Names are as declared; SQLite compares them without case.
 */
export interface CompiledSchema {
  readonly tables: readonly CompiledTable[];
}

export interface CompiledTable {
  /** The synced name: the object type of operations, and `type` of queue entries. */
  readonly name: string;
  /** The name in the app's SQL. */
  readonly viewName: string;
  /** Without `id`, which is always the first column: TEXT, unique, never null. */
  readonly columns: readonly CompiledColumn[];
  readonly indexes: readonly CompiledIndex[];
  /** `synced` is downloaded and uploaded; `local` neither; `insertOnly` is only uploaded and never stored. */
  readonly kind: 'synced' | 'local' | 'insertOnly';
  readonly trackMetadata: boolean;
  /** Whose former values a PATCH or DELETE entry carries; empty for none. */
  readonly trackPrevious: readonly string[];
  readonly trackPreviousOnlyWhenChanged: boolean;
  readonly ignoreEmptyUpdates: boolean;
  /** Left out for none. */
  readonly fullText?: CompiledFullText;
}

export interface CompiledFullText {
  readonly columns: readonly string[];
  /** FTS5's `tokenize`; empty for its default. */
  readonly tokenize: string;
  /** FTS5's `prefix`: lengths of prefixes with an index of their own. */
  readonly prefix: readonly number[];
}

export interface CompiledColumn {
  readonly name: string;
  /** The declared type in SQLite. */
  readonly type: 'TEXT' | 'INTEGER' | 'REAL' | 'BLOB';
  /** Text of a DEFAULT or constraint that follows the type; empty for none. */
  readonly constraint: string;
}

export interface CompiledIndex {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly ascending: boolean }[];
  readonly unique: boolean;
  /** Text of the WHERE of a partial index; empty for none. */
  readonly where: string;
}
