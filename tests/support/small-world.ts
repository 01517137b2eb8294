import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { until } from '@sluice/testing';
import type { LocalPostgres } from '@sluice/local-postgres';
import pg from 'pg';
import { expect } from 'vitest';
import { ServiceProcess, type ServiceProcessOptions } from './service-process.ts';
import { StreamClient, type StreamClientOptions } from './stream-client.ts';
import { TokenIssuer } from './tokens.ts';

export const EVERYTHING = `
config:
  edition: 3
streams:
  all:
    auto_subscribe: true
    query: SELECT * FROM notes
`;

/** A database with one table, a service for it, and a client that gets all of its rows. */
export class SmallWorld implements AsyncDisposable {
  readonly issuer: TokenIssuer;
  readonly postgres: LocalPostgres;
  readonly database: string;
  readonly service: ServiceProcess;
  readonly #dir: string;
  readonly #clients: StreamClient[] = [];

  private constructor(
    parts: Pick<SmallWorld, 'issuer' | 'postgres' | 'database' | 'service'>,
    dir: string,
  ) {
    this.#dir = dir;
    this.issuer = parts.issuer;
    this.postgres = parts.postgres;
    this.database = parts.database;
    this.service = parts.service;
  }

  static async create(
    postgres: LocalPostgres,
    options: Partial<ServiceProcessOptions> & { readonly dir: string; readonly database: string },
  ): Promise<SmallWorld> {
    const dir = path.join(options.dir, options.database);
    await mkdir(dir, { recursive: true });
    const issuer = new TokenIssuer();
    const service = await ServiceProcess.create({
      databaseUrl: postgres.url(options.database),
      syncConfig: EVERYTHING,
      issuer,
      ...options,
      dir,
    });
    return new SmallWorld({ issuer, postgres, database: options.database, service }, dir);
  }

  get storagePath(): string {
    return path.join(this.#dir, 'storage.db');
  }

  /** Takes effect at the next start. */
  writeSyncConfig(text: string): Promise<void> {
    return writeFile(path.join(this.#dir, 'sync-config.yaml'), text);
  }

  /** The database, its table with one row, and the publication unless `publication` is empty. */
  async seed(publication = 'CREATE PUBLICATION powersync FOR ALL TABLES'): Promise<void> {
    await this.postgres.ensureDatabase(this.database);
    await this.sql('CREATE TABLE notes (id text PRIMARY KEY, body text)', publication);
    await this.note('first');
  }

  /** Runs each statement on a connection of its own, as the database may come and go. */
  async sql(...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.postgres.url(this.database) });
    await client.connect();
    client.on('error', () => {}); // a server that is stopped meanwhile fails the query itself
    try {
      let rows: readonly Record<string, unknown>[] = [];
      for (const statement of statements) rows = (await client.query(statement)).rows;
      return rows;
    } finally {
      await client.end();
    }
  }

  /**
   * As long as a transaction that writes is open no new slot can begin: a generation is not filled
   * then, nor a table without a key, which is read as of a slot's beginning. Slots that are there
   * keep the log from its first write on.
   */
  async holdUp(): Promise<AsyncDisposable & { release(): Promise<void> }> {
    const client = new pg.Client({ connectionString: this.postgres.url(this.database) });
    await client.connect();
    await client.query('BEGIN');
    await client.query(`SELECT pg_logical_emit_message(true, 'held', 'up')`);
    const release = () => client.end(); // rolls back
    return { release, [Symbol.asyncDispose]: release };
  }

  note(id: string): Promise<unknown> {
    return this.sql(`INSERT INTO notes VALUES ('${id}', 'body of ${id}')`);
  }

  connect(options: Pick<StreamClientOptions, 'onCheckpoint'> = {}): StreamClient {
    const token = () => this.issuer.token('ann');
    const client = new StreamClient({ url: this.service.url, token, ...options });
    this.#clients.push(client);
    return client;
  }

  async start(): Promise<StreamClient> {
    this.service.start();
    await this.service.untilReady();
    return this.connect();
  }

  /** The client has exactly the rows of the table. */
  async expectSynced(client: StreamClient, timeoutMs = 20_000): Promise<void> {
    const expected = JSON.stringify(await this.sql('SELECT id, body FROM notes ORDER BY id'));
    const isSame = () => JSON.stringify(client.rows('notes')) === expected;
    await until('the client has the rows', isSame, timeoutMs).catch(() => {
      throw new Error(`Not ${expected}, but ${JSON.stringify(client.rows('notes'))}
${this.service.log}`);
    });
  }

  async slots(): Promise<string[]> {
    const rows = await this.sql(
      'SELECT slot_name FROM pg_replication_slots WHERE database = current_database()',
    );
    return rows.map((row) => String(row['slot_name']));
  }

  /** One slot is there, and not one of `old`; the generation that is replaced goes a bit later. */
  async expectNewSlot(old: readonly string[]): Promise<void> {
    const isNew = async () => {
      const slots = await this.slots();
      return slots.length === 1 && !old.includes(slots[0] ?? '');
    };
    await until('only a new slot is there', isNew, 20_000);
    expect(this.service.log).not.toMatch(/^ +at .*:\d+:\d+\)?$/m);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await this.service.stop('SIGKILL');
  }
}
