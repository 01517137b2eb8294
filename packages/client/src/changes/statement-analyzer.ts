import type { SqliteConnection, SqlValue } from '../driver/contract.ts';
import { quoteName } from '../schema/sql-text.ts';
import { ConnectionCatalog, schemaVersion } from './connection-catalog.ts';
import type { ReadSet } from './read-set.ts';
import { splitPrograms } from './explain-program.ts';
import { parseRowFilter } from './parse-row-filter.ts';
import type { RowFilter } from './row-filter.ts';
import type { CatalogTable } from './schema-catalog.ts';
import { isKeyword, sqlTokens } from './sql-tokens.ts';
import { readsOf } from './statement-reads.ts';
import { writesOf } from './statement-writes.ts';

/** What a query's result depends on. Plain data, so that it can go to another thread. */
export interface StatementReads {
  readonly tables: ReadSet;
  /** Of a query over one table: what a row must be like to matter. */
  readonly filter: RowFilter | undefined;
}

/** Statements whose analysis is kept. */
const CACHED_STATEMENTS = 512;

/**
 * What statements read and write, by the connection that would run them. Answers are kept while the schema stays as it is;
 * what other connections do to the schema is noticed too. One for each connection.
 *
 * Every method throws SqlError where SQLite does not compile the statement.
 */
export class StatementAnalyzer {
  readonly #connection: SqliteConnection;
  readonly #reads = new Map<string, StatementReads>();
  readonly #triggered = new Map<string, ReadonlySet<string>>();
  readonly #writes = new Map<string, ReadonlySet<string>>();
  #catalog: ConnectionCatalog | undefined;
  #version = '';
  #mainVersion: SqlValue | undefined;
  /** The last statement that was asked about may have changed a schema since. */
  #schemaWritten = false;
  #catalogs = 0;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  reads(sql: string): StatementReads {
    return this.#cached(this.#reads, sql, (catalog) => {
      if (isExplain(sql)) return { tables: new Map(), filter: undefined };
      const tables = readsOf(catalog.explain(sql), catalog);
      return { tables, filter: this.#filter(sql, tables, catalog) };
    });
  }

  /** Tables that the statement may write, as `ChangeSet` names them. */
  writes(sql: string): ReadonlySet<string> {
    const written = this.#cached(
      this.#writes,
      sql,
      (catalog) => (isExplain(sql) ? new Set() : writesOf(catalog.explain(sql), catalog)),
      this.#catalogOfWrites(),
    );
    this.#schemaWritten = [...written].some((name) => name.endsWith('sqlite_schema'));
    return written;
  }

  /** Tables that triggers and foreign keys write when rows of this one come, change or go; see `withTriggered`. */
  triggeredBy(table: string): ReadonlySet<string> {
    return this.#cached(this.#triggered, table, (catalog) => {
      const found = catalog.tableNamed('main', table);
      if (found === undefined) return new Set();
      const programs = changesOf(found).flatMap((sql) => {
        const [, ...triggered] = splitPrograms(catalog.explain(sql));
        return triggered.flat();
      });
      return writesOf(programs, catalog);
    });
  }

  #filter(sql: string, tables: ReadSet, catalog: ConnectionCatalog): RowFilter | undefined {
    if (tables === 'everything' || tables.size !== 1) return undefined;
    // Texts compare by their bytes, and those of UTF-16 are in another order.
    if (this.#connection.prepare('PRAGMA encoding').get()?.[0] !== 'UTF-8') return undefined;
    const [name = ''] = tables.keys();
    const table = catalog.tableNamed('main', name);
    return table === undefined ? undefined : parseRowFilter(sql, table);
  }

  #cached<T>(
    cache: Map<string, T>,
    sql: string,
    analyse: (catalog: ConnectionCatalog) => T,
    catalog = this.#currentCatalog(),
  ): T {
    const known = cache.get(sql);
    const result = known ?? analyse(catalog);
    cache.delete(sql);
    cache.set(sql, result);
    const [oldest] = cache.keys();
    if (cache.size > CACHED_STATEMENTS && oldest !== undefined) cache.delete(oldest);
    return result;
  }

  /** Looks at less, as it is asked at every write: what changes temp or attached schemas is one of the writes itself. */
  #catalogOfWrites(): ConnectionCatalog {
    const version = this.#connection.prepare('PRAGMA schema_version').get()?.[0];
    const known = !this.#schemaWritten && version === this.#mainVersion ? this.#catalog : undefined;
    this.#mainVersion = version;
    return known ?? this.#currentCatalog();
  }

  #currentCatalog(): ConnectionCatalog {
    const version = schemaVersion(this.#connection);
    if (this.#catalog !== undefined && version === this.#version) return this.#catalog;
    this.#reads.clear();
    this.#writes.clear();
    this.#triggered.clear();
    this.#version = version;
    this.#catalogs += 1;
    this.#catalog = new ConnectionCatalog(this.#connection, this.#catalogs);
    return this.#catalog;
  }
}

/** One statement for each way to change a row, which fires all triggers of that way. */
function changesOf({ name, columns }: CatalogTable): readonly string[] {
  const table = quoteName(name);
  const settings = columns
    .filter(({ generated }) => !generated)
    .map((column) => `${quoteName(column.name)} = NULL`);
  return [
    `INSERT INTO ${table} DEFAULT VALUES`,
    `UPDATE ${table} SET ${settings.join(', ')}`,
    `DELETE FROM ${table}`,
  ];
}

function isExplain(sql: string): boolean {
  return isKeyword(sqlTokens(sql.slice(0, 1000))[0], 'EXPLAIN');
}
