import pg from 'pg';
import type { SourcePosition, SqliteRow, TablePattern } from '@sluice/model';
import {
  rowKey,
  UNCHANGED,
  wholeRowKey,
  type ChangeEvent,
  type ChangeSource,
  type SourceReplication,
  type SourceTable,
} from '@sluice/source';
import { until } from '@sluice/testing';
import type { PostgresSourceOptions } from '../options.ts';
import { createPostgresSource } from '../postgres-source.ts';

/** The part of a test server that is needed here. */
export interface TestServer {
  readonly port: number;
  url(database?: string): string;
  ensureDatabase(name: string): Promise<unknown>;
}

let databases = 0;

/** A database of its own with a publication, a session in it, and a source that follows it. */
export class TestDatabase implements AsyncDisposable {
  readonly name: string;
  readonly source: ChangeSource;
  readonly #server: TestServer;
  readonly #client: pg.Client;

  private constructor(server: TestServer, name: string, client: pg.Client, source: ChangeSource) {
    this.#server = server;
    this.name = name;
    this.#client = client;
    this.source = source;
  }

  static async create(
    server: TestServer,
    options: Partial<PostgresSourceOptions> & { readonly publication?: string | undefined } = {},
  ): Promise<TestDatabase> {
    const name = `test_${++databases}`;
    await server.ensureDatabase(name);
    const client = new pg.Client({ connectionString: server.url(name) });
    client.on('error', () => {}); // tests that stop the server look at the source's errors
    await client.connect();
    const publication = options.publication ?? 'CREATE PUBLICATION powersync FOR ALL TABLES';
    if (publication !== '') await client.query(publication);
    const source = createPostgresSource({ uri: server.url(name), sslmode: 'disable', ...options });
    return new TestDatabase(server, name, client, source);
  }

  get url(): string {
    return this.#server.url(this.name);
  }

  async sql<Row extends object = Record<string, unknown>>(
    text: string,
    values: unknown[] = [],
  ): Promise<Row[]> {
    return (await this.#client.query<Row>(text, values)).rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const handle of await this.source.listReplications().catch(() => [])) {
      await this.source.dropReplication(handle);
    }
    await this.source[Symbol.asyncDispose]();
    await this.#client.end().catch(() => {});
  }
}

export const ALL_TABLES: TablePattern = {
  schema: 'public',
  name: '',
  nameIsPrefix: true,
  schemaIsPrefix: false,
};

export function tableNamed(name: string, schema = 'public'): TablePattern {
  return { schema, name, nameIsPrefix: false, schemaIsPrefix: false };
}

/** A stream that is read in the background until it is closed. */
export class Follower implements AsyncDisposable {
  readonly events: ChangeEvent[] = [];
  position: SourcePosition = '';
  error: unknown;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  constructor(
    replication: SourceReplication,
    options: { after?: SourcePosition; isWanted?: (table: SourceTable) => boolean } = {},
  ) {
    this.#done = this.#run(replication, options).catch((error: unknown) => {
      if (!this.#abort.signal.aborted) this.error = error;
    });
  }

  async #run(
    replication: SourceReplication,
    options: { after?: SourcePosition; isWanted?: (table: SourceTable) => boolean },
  ): Promise<void> {
    const stream = replication.stream({
      after: options.after ?? '',
      isWanted: options.isWanted ?? (() => true),
      signal: this.#abort.signal,
    });
    for await (const batch of stream) {
      for (const event of batch) {
        this.events.push(event);
        if (event.kind === 'commit' || event.kind === 'idle') this.position = event.position;
      }
    }
  }

  /** Waits until everything up to a position has come. */
  async reach(position: SourcePosition): Promise<void> {
    await until(`the stream reaches ${position}`, () => {
      if (this.error) throw this.error;
      return this.position >= position;
    });
  }

  /** Events without those that say nothing about data. */
  changes(): ChangeEvent[] {
    return this.events.filter(({ kind }) => !['begin', 'commit', 'idle'].includes(kind));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }
}

/** A table's rows as the events and snapshots tell them; deliberately simple. */
export class Replica {
  readonly rows = new Map<string, SqliteRow>();
  /** Keys that the stream has brought, deleted ones included: newer than any snapshot row. */
  readonly #streamed = new Set<string>();

  applySnapshot(table: SourceTable, rows: readonly SqliteRow[]): void {
    for (const row of rows) {
      const key = this.#key(table, row);
      if (!this.#streamed.has(key)) this.rows.set(key, row);
    }
  }

  apply(event: ChangeEvent): void {
    if (event.kind === 'insert') this.#put(event.table, event.row);
    if (event.kind === 'delete') this.#remove(event.table, event.before);
    if (event.kind === 'update') {
      if (event.before) this.#remove(event.table, event.before);
      const stored = this.rows.get(rowKey(event.row, event.table.keyColumns));
      const row = event.row.map((value, i) =>
        value === UNCHANGED ? (stored?.[i] ?? null) : value,
      );
      this.#put(event.table, row);
    }
    if (event.kind === 'truncate') this.rows.clear();
  }

  #put(table: SourceTable, row: SqliteRow): void {
    const key = this.#key(table, row);
    this.#streamed.add(key);
    this.rows.set(key, row);
  }

  #remove(table: SourceTable, row: SqliteRow): void {
    const key = this.#key(table, row);
    this.#streamed.add(key);
    this.rows.delete(key);
  }

  #key(table: SourceTable, row: SqliteRow): string {
    return table.keyColumns.length > 0 ? rowKey(row, table.keyColumns) : wholeRowKey(row);
  }
}

/** Reads a whole snapshot at once. */
export async function readSnapshot(
  replication: SourceReplication,
  table: SourceTable,
): Promise<{ rows: SqliteRow[]; exactAt: SourcePosition | undefined; position: SourcePosition }> {
  const snapshot = await replication.snapshot(table, {
    progress: undefined,
    signal: new AbortController().signal,
  });
  const rows: SqliteRow[] = [];
  let position = '';
  for await (const chunk of snapshot.chunks) {
    rows.push(...chunk.rows);
    position = chunk.position;
  }
  return { rows, exactAt: snapshot.exactAt, position };
}
