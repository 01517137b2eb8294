import type { SqliteConnection, SqlValue } from '../driver/contract.ts';
import { SqlError } from '../errors.ts';
import { quoteName } from '../schema/sql-text.ts';
import type { Instruction } from './explain-program.ts';
import type {
  Btree,
  CatalogColumn,
  CatalogIndex,
  CatalogTable,
  SchemaCatalog,
  VirtualTable,
} from './schema-catalog.ts';
import { anonymousParameters, isKeyword, namesIn, sqlTokens } from './sql-tokens.ts';
import { declaredVirtualTable } from './virtual-table-declaration.ts';

/** A row of `sqlite_schema`; names in lower case. */
interface SchemaEntry {
  readonly schema: string;
  readonly type: string;
  readonly name: string;
  readonly table: string;
  readonly rootPage: number;
  readonly sql: string;
}

/** In the place of a column's number in an index. */
const EXPRESSION = -2;

/**
 * The schema of a connection as it is now: main, temp and attached databases. Made anew when the schema changes
 * (`schemaVersion`); of a table only what is asked for is looked up.
 */
export class ConnectionCatalog implements SchemaCatalog {
  readonly #connection: SqliteConnection;
  readonly #serial: number;
  readonly #entries: readonly SchemaEntry[];
  readonly #rootPages = new Map<string, SchemaEntry>();
  readonly #names: ReadonlySet<string>;
  readonly #btrees = new Map<SchemaEntry, Btree>();
  readonly #tables = new Map<string, CatalogTable>();
  #virtual: ReadonlyMap<string, readonly VirtualTable[]> = new Map();

  /** `serial`: another number for every catalog of the connection. */
  constructor(connection: SqliteConnection, serial: number) {
    this.#connection = connection;
    this.#serial = serial;
    const databases = databaseNames(connection);
    this.#entries = [...databases.values()].flatMap((name) => schemaEntries(connection, name));
    this.#names = new Set(this.#entries.map(({ schema, name }) => `${schema}.${name}`));
    for (const [number, schema] of databases) {
      for (const entry of this.#entries) {
        if (entry.schema !== schema || entry.rootPage === 0) continue;
        this.#rootPages.set(`${number}.${entry.rootPage}`, entry);
      }
    }
  }

  btree(database: number, rootPage: number): Btree | undefined {
    const entry = this.#rootPages.get(`${database}.${rootPage}`);
    if (entry === undefined) return undefined;
    const known = this.#btrees.get(entry);
    if (known !== undefined) return known;
    const table = this.#table(entry.schema, entry.table);
    const index = entry.type === 'index' ? this.#index(entry, table) : undefined;
    const btree = { table, index };
    this.#btrees.set(entry, btree);
    return btree;
  }

  virtualTables(pointer: string): readonly VirtualTable[] {
    const known = this.#virtual.get(pointer);
    if (known !== undefined) return known;
    // Table-valued functions come into being when a statement first uses them.
    this.#virtual = this.#virtualByPointer();
    return this.#virtual.get(pointer) ?? [];
  }

  hasTable(schema: string, name: string): boolean {
    return this.#names.has(`${schema}.${name}`);
  }

  tablesNamed(schema: string, prefix: string): readonly string[] {
    return this.#entries
      .filter((entry) => entry.schema === schema && entry.type === 'table')
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name }) => name);
  }

  /** A table with a b-tree, so neither a view nor a virtual one. */
  tableNamed(schema: string, name: string): CatalogTable | undefined {
    const isTable = (entry: SchemaEntry) =>
      entry.schema === schema && entry.name === name && entry.type === 'table';
    const entry = this.#entries.find(isTable);
    return entry === undefined || entry.rootPage === 0 ? undefined : this.#table(schema, name);
  }

  explain(sql: string): readonly Instruction[] {
    const statement = anonymousParameters(sql);
    const values = Array.from({ length: statement.count }, () => null);
    // SQLite does not compile an EXPLAIN anew when the schema changes, and drivers keep statements by their text.
    const explain = `EXPLAIN --${this.#serial}\n${statement.sql}`;
    return this.#connection.prepare(explain).all(values).map(instructionOf);
  }

  #table(schema: string, name: string): CatalogTable {
    const key = `${schema}.${name}`;
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    const own = (entry: SchemaEntry) => entry.schema === schema && entry.name === name;
    const table = this.#readTable(schema, name, this.#entries.find(own)?.sql ?? '');
    this.#tables.set(key, table);
    return table;
  }

  #readTable(schema: string, name: string, sql: string): CatalogTable {
    const rows = this.#pragma(schema, 'table_xinfo', name);
    // Only a table without rowid is its own index.
    const order = this.#pragma(schema, 'index_xinfo', name);
    const keySize = rows.filter((row) => Number(row[5]) > 0).length;
    const inTableKey = (row: readonly SqlValue[]) =>
      Number(row[5]) > 0 &&
      (order.length > 0 || (keySize === 1 && /^integer$/i.test(String(row[2]))));
    const columns = rows.map((row): CatalogColumn => ({
      name: String(row[1]).toLowerCase(),
      declaredType: String(row[2]),
      generated: Number(row[6]) >= 2,
      inTableKey: inTableKey(row),
    }));
    const byRecord = columns.filter((_, at) => Number(rows[at]?.[6]) !== 2);
    const byKey = order.map((row) => columns[Number(row[1])]).filter((it) => it !== undefined);
    return { schema, name, columns, stored: order.length > 0 ? byKey : byRecord, sql };
  }

  #index(entry: SchemaEntry, table: CatalogTable): CatalogIndex {
    const rows = this.#pragma(entry.schema, 'index_xinfo', entry.name);
    const columns = rows.map((row) => table.columns[Number(row[1])]);
    const key = rows.filter((row) => Number(row[5]) === 1);
    const tokens = sqlTokens(entry.sql);
    const where = tokens.findIndex((token) => isKeyword(token, 'WHERE'));
    const inKey = namesIn(where < 0 ? tokens : tokens.slice(0, where));
    const inWhere = namesIn(where < 0 ? [] : tokens.slice(where));
    const hasExpressions = key.some((row) => Number(row[1]) === EXPRESSION);
    return {
      columns,
      keyLength: key.length,
      computedFrom: table.columns.filter(({ name }) => hasExpressions && inKey.has(name)),
      conditions: table.columns.filter(({ name }) => inWhere.has(name)),
    };
  }

  #pragma(schema: string, pragma: string, name: string): readonly SqlValue[][] {
    const sql = `PRAGMA ${quoteName(schema)}.${pragma}(${quoteName(name)})`;
    return this.#connection.prepare(sql).all();
  }

  #virtualByPointer(): ReadonlyMap<string, readonly VirtualTable[]> {
    const byPointer = new Map<string, VirtualTable[]>();
    for (const table of [...this.#declaredVirtualTables(), ...this.#functionTables()]) {
      for (const pointer of this.#pointersOf(table)) {
        byPointer.set(pointer, [...(byPointer.get(pointer) ?? []), table]);
      }
    }
    return byPointer;
  }

  #declaredVirtualTables(): readonly VirtualTable[] {
    return this.#entries
      .filter(({ type, rootPage }) => type === 'table' && rootPage === 0)
      .map(({ schema, name, sql }) => declaredVirtualTable(schema, name, sql))
      .filter((table) => table !== undefined);
  }

  /** Modules that are tables without being declared; others fail when they are read like one. */
  #functionTables(): readonly VirtualTable[] {
    return this.#connection
      .prepare('PRAGMA module_list')
      .all()
      .map(([name]) => String(name).toLowerCase())
      .map((name) => ({ schema: 'main', name, module: name, options: [] }));
  }

  #pointersOf({ schema, name }: VirtualTable): readonly string[] {
    try {
      return this.explain(`SELECT 1 FROM ${quoteName(schema)}.${quoteName(name)}`)
        .filter(({ opcode }) => opcode === 'VOpen')
        .map(({ p4 }) => p4);
    } catch (error) {
      // It cannot be read like a table, so a statement cannot have opened it that way either.
      if (error instanceof SqlError) return [];
      throw error;
    }
  }
}

/** Differs as soon as the schema of any database of the connection does. */
export function schemaVersion(connection: SqliteConnection): string {
  return [...databaseNames(connection)]
    .map(([number, name]) => {
      const version = connection.prepare(`PRAGMA ${quoteName(name)}.schema_version`).get()?.[0];
      return `${number} ${name} ${String(version)}`;
    })
    .join();
}

function databaseNames(connection: SqliteConnection): ReadonlyMap<number, string> {
  const rows = connection.prepare('PRAGMA database_list').all();
  return new Map(rows.map(([number, name]) => [Number(number), String(name).toLowerCase()]));
}

function schemaEntries(connection: SqliteConnection, schema: string): readonly SchemaEntry[] {
  const sql = `SELECT type, name, tbl_name, rootpage, sql FROM ${quoteName(schema)}.sqlite_schema`;
  const entries = connection
    .prepare(sql)
    .all()
    .map(([type, name, table, rootPage, text]) => ({
      schema,
      type: String(type),
      name: String(name).toLowerCase(),
      table: String(table).toLowerCase(),
      rootPage: Number(rootPage ?? 0),
      sql: String(text ?? ''),
    }));
  const self = { type: 'table', name: 'sqlite_schema', table: 'sqlite_schema', rootPage: 1 };
  return [{ schema, ...self, sql: '' }, ...entries];
}

function instructionOf(row: readonly SqlValue[]): Instruction {
  const [address, opcode, p1, p2, p3, p4, p5] = row;
  return {
    address: Number(address),
    opcode: String(opcode),
    p1: Number(p1),
    p2: Number(p2),
    p3: Number(p3),
    p4: String(p4 ?? ''),
    p5: Number(p5),
  };
}
