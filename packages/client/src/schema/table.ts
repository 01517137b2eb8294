import type { IntegerMode } from '../driver/integer-mode.ts';
import type { AnyColumn, Column } from './column.ts';

export type Columns = Readonly<Record<string, AnyColumn>>;

type ColumnName<C extends Columns> = keyof C & string;

/** `-name`: descending. */
type IndexedColumn<C extends Columns> = ColumnName<C> | `-${ColumnName<C>}`;

export type IndexDeclaration<C extends Columns> =
  | readonly IndexedColumn<C>[]
  | {
      readonly columns: readonly IndexedColumn<C>[];
      readonly unique?: boolean;
      /** SQL condition of a partial index. */
      readonly where?: string;
    };

/** spec/client.md 2.1 */
export interface TableOptions<C extends Columns> {
  readonly indexes?: Readonly<Record<string, IndexDeclaration<C>>>;
  /** Neither downloaded nor uploaded. */
  readonly localOnly?: boolean;
  /** Writes go to the upload queue and nowhere else. Without effect together with `localOnly`. */
  readonly insertOnly?: boolean;
  /**
   * Adds a table `<name>_fts` (SQLite's FTS5) to search in, with the columns `id` and those that are named here:
   * `SELECT id FROM notes_fts WHERE notes_fts MATCH ? ORDER BY rank`. It follows every write, downloads included.
   */
  readonly fullText?: {
    readonly columns: readonly ColumnName<C>[];
    /** FTS5's tokenizer, e.g. `trigram` or `porter unicode61`; `unicode61` if left out. */
    readonly tokenize?: string;
    /** Lengths of prefixes that are looked up fast, as in `MATCH 'gro*'`. */
    readonly prefix?: readonly number[];
  };
  /** The table's name in the app's SQL, if it is not the synced one. */
  readonly viewName?: string;
  /** Queue entries of updates and deletions carry the former values: all, of some columns, or only of those that changed. */
  readonly trackPrevious?:
    boolean | { readonly columns?: readonly ColumnName<C>[]; readonly onlyWhenChanged?: boolean };
  /** Adds `_metadata`, whose text goes into the queue entry of the write, and `_deleted`, to delete with metadata. */
  readonly trackMetadata?: boolean;
  /** An update that changes nothing makes no queue entry. */
  readonly ignoreEmptyUpdates?: boolean;
}

/** One declared table. Its column `id` (text, unique, never null) is not declared. */
export class Table<C extends Columns = Columns> {
  readonly columns: C;
  readonly options: TableOptions<C>;

  constructor(columns: C, options: TableOptions<C> = {}) {
    this.columns = columns;
    this.options = options;
  }

  static createLocalOnly<C extends Columns>(columns: C, options: TableOptions<C> = {}): Table<C> {
    return new Table(columns, { ...options, localOnly: true });
  }

  static createInsertOnly<C extends Columns>(columns: C, options: TableOptions<C> = {}): Table<C> {
    return new Table(columns, { ...options, insertOnly: true });
  }
}

/** Any table, whatever its columns. */
export interface AnyTable {
  readonly columns: Columns;
  readonly options: TableOptions<Columns>;
}

/** A row of the table as the app works with it; `Mode` is the schema's `integerMode`. */
export type Row<
  T extends { readonly columns: Columns },
  Mode extends IntegerMode = 'auto',
> = Simplify<
  { id: string } & {
    [Name in keyof T['columns']]: T['columns'][Name] extends Column<infer V, infer S, infer Null>
      ? AppValue<V, S, Mode> | Null
      : never;
  }
>;

/** A row of the table as SQLite gives it; `Mode` is the schema's `integerMode`. */
export type StoredRow<
  T extends { readonly columns: Columns },
  Mode extends IntegerMode = 'auto',
> = Simplify<
  { id: string } & {
    [Name in keyof T['columns']]: T['columns'][Name] extends Column<infer V, infer S, infer Null>
      ? StoredValue<V, S, Mode> | Null
      : never;
  }
>;

/** Columns of integers are those that SQLite may give as `bigint`; of booleans, `V` is not a number. */
type AppValue<V, S, Mode extends IntegerMode> = bigint extends S
  ? V extends number
    ? Integer<Mode>
    : V
  : V;

/** In the mode `auto` only columns that are declared as `bigint` have integers that a `number` does not hold. */
type StoredValue<V, S, Mode extends IntegerMode> = bigint extends S
  ? [Mode, V] extends ['auto', bigint]
    ? S
    : Integer<Mode>
  : S;

type Integer<Mode extends IntegerMode> = Mode extends 'bigint' ? bigint : number;

type Simplify<T> = { [K in keyof T]: T[K] } & {};
