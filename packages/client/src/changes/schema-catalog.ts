import type { Instruction } from './explain-program.ts';

/** What the analysis of programs asks about the schema that they were compiled for. */
export interface SchemaCatalog {
  /** The b-tree at a root page. `database`: 0 main, 1 temp, then the attached ones. Undefined: made since. */
  btree(database: number, rootPage: number): Btree | undefined;
  /** Virtual tables (and table-valued functions) by what `EXPLAIN` calls them; empty: unknown. */
  virtualTables(pointer: string): readonly VirtualTable[];
  /** A table or view by name, in the same database as what names it. */
  hasTable(schema: string, name: string): boolean;
  /** Names of a database's tables that begin with `prefix` (lower case), in lower case. */
  tablesNamed(schema: string, prefix: string): readonly string[];
  explain(sql: string): readonly Instruction[];
}

export interface Btree {
  readonly table: CatalogTable;
  /** Undefined: the table itself. */
  readonly index: CatalogIndex | undefined;
}

export interface CatalogTable {
  /** `main`, `temp` or the name it is attached by; in lower case. */
  readonly schema: string;
  /** In lower case. */
  readonly name: string;
  readonly columns: readonly CatalogColumn[];
  /** In the order in which a row's record holds them. */
  readonly stored: readonly CatalogColumn[];
  /** Its own CREATE statement. */
  readonly sql: string;
}

export interface CatalogColumn {
  /** In lower case. */
  readonly name: string;
  readonly declaredType: string;
  readonly generated: boolean;
  /** Part of what orders the table: of its key without rowid, or in the rowid's place. */
  readonly inTableKey: boolean;
}

export interface CatalogIndex {
  /** By position in its entries; undefined for an expression or the rowid. */
  readonly columns: readonly (CatalogColumn | undefined)[];
  /** How many of them order it. */
  readonly keyLength: number;
  /** Columns that its expressions may name. */
  readonly computedFrom: readonly CatalogColumn[];
  /** Columns that its WHERE may name, if it has one. */
  readonly conditions: readonly CatalogColumn[];
}

export interface VirtualTable {
  readonly schema: string;
  /** In lower case. */
  readonly name: string;
  /** In lower case. */
  readonly module: string;
  /** What stands between the parentheses, cut at commas. */
  readonly options: readonly string[];
}

/** The name of a table in change sets: as the app's SQL has it, in lower case; with its database unless that is main. */
export function changeName({ schema, name }: { schema: string; name: string }): string {
  return schema === 'main' ? name : `${schema}.${name}`;
}
