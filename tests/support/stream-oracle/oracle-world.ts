import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import type { LocalPostgres } from '@sluice/local-postgres';
import { until, type SeededRandom } from '@sluice/testing';
import pg from 'pg';
import { expect } from 'vitest';
import { ServiceProcess } from '../service-process.ts';
import { StreamClient } from '../stream-client.ts';
import { TokenIssuer } from '../tokens.ts';
import { OracleUser } from './oracle-user.ts';
import { createTable, randomStatement, upsert, USERS, type RandomTable } from './random-schema.ts';
import type { RandomConfig } from './random-streams.ts';

const TRANSACTIONS = 40;
const ROWS = 20;

interface OracleWorldOptions {
  readonly postgres: LocalPostgres;
  /** For the service's files. */
  readonly dir: string;
  readonly database: string;
  readonly random: SeededRandom;
  readonly tables: readonly RandomTable[];
  readonly config: RandomConfig;
}

interface Parts {
  readonly sql: pg.Client;
  readonly service: ServiceProcess;
  readonly issuer: TokenIssuer;
}

/** A database, a service with a random config, and a client for each user. */
export class OracleWorld implements AsyncDisposable {
  readonly #random: SeededRandom;
  readonly #tables: readonly RandomTable[];
  readonly #config: RandomConfig;
  readonly #sql: pg.Client;
  readonly #service: ServiceProcess;
  readonly #issuer: TokenIssuer;
  readonly #users: readonly OracleUser[];
  readonly #clients: StreamClient[] = [];

  private constructor(options: OracleWorldOptions, parts: Parts) {
    const { random, config } = options;
    this.#random = random;
    this.#tables = options.tables;
    this.#config = config;
    this.#sql = parts.sql;
    this.#service = parts.service;
    this.#issuer = parts.issuer;
    this.#users = USERS.map((name) => new OracleUser(name, random, config.streams));
  }

  static async create(options: OracleWorldOptions): Promise<OracleWorld> {
    const { postgres, dir, database, random, tables, config } = options;
    await postgres.ensureDatabase(database);
    const sql = new pg.Client({ connectionString: postgres.url(database) });
    await sql.connect();
    for (const table of tables) {
      await sql.query(createTable(table));
      for (let i = 0; i < ROWS; i += 1) await sql.query(upsert(random, table, `r${i}`));
    }
    await sql.query('CREATE PUBLICATION powersync FOR ALL TABLES');
    const issuer = new TokenIssuer();
    const service = await ServiceProcess.create({
      dir: await mkdtemp(path.join(dir, `${database}-`)),
      databaseUrl: postgres.url(database),
      syncConfig: config.yaml,
      issuer,
    });
    return new OracleWorld(options, { sql, service, issuer });
  }

  /** Changes at random, with the service killed half-way, then compares what was shown. */
  async run(): Promise<void> {
    await this.#note();
    this.#service.start();
    await this.#service.untilReady();
    this.#connect();
    await this.#settle();
    for (let i = 0; i < TRANSACTIONS; i += 1) {
      await this.#transaction();
      if (i % 10 === 9) await this.#settle();
      if (i !== TRANSACTIONS / 2) continue;
      await this.#service.stop('SIGKILL');
      await this.#transaction();
      this.#service.start();
    }
    await this.#settle();
    for (const user of this.#users) this.#compare(user);
    this.#expectVariety();
  }

  #connect(): void {
    for (const user of this.#users) {
      const { name, auth, connection, subscriptions, shown } = user;
      const client = new StreamClient({
        url: this.#service.url,
        token: () => this.#issuer.token(name, 3600, this.#issuer.audience, { ...auth }),
        request: {
          parameters: connection,
          streams: {
            include_defaults: true,
            subscriptions: subscriptions.map((each) => ({ ...each, override_priority: null })),
          },
        },
        onCheckpoint: () => shown.push(this.#shownBy(client)),
      });
      this.#clients.push(client);
    }
  }

  /** The rows of all client tables, as text: a row in several buckets counts once. */
  #shownBy(client: StreamClient): string {
    const tables = this.#config.streams.flatMap(({ queries }) =>
      queries.map(({ clientTable }) => {
        const rows = new Set(client.rows(clientTable).map((row) => JSON.stringify(row)));
        return [clientTable, [...rows].toSorted()];
      }),
    );
    return JSON.stringify(tables);
  }

  async #expectedOf(user: OracleUser): Promise<string> {
    const tables: [string, string[]][] = [];
    for (const stream of this.#config.streams) {
      for (const { clientTable, theirs } of stream.queries) {
        const rows = new Set<string>();
        for (const request of user.requestsFor(stream)) {
          const found = await this.#sql.query<object>(theirs(request));
          for (const row of found.rows) rows.add(JSON.stringify(row));
        }
        tables.push([clientTable, [...rows].toSorted()]);
      }
    }
    return JSON.stringify(tables);
  }

  async #transaction(): Promise<void> {
    await this.#sql.query('BEGIN');
    for (let i = 0; i <= this.#random.int(4); i += 1) {
      // A key that is taken fails the statement alone.
      await this.#sql.query('SAVEPOINT one');
      await this.#sql
        .query(randomStatement(this.#random, this.#tables))
        .catch(() => this.#sql.query('ROLLBACK TO one'));
    }
    await this.#sql.query('COMMIT');
    await this.#note();
  }

  /** Notes what everybody is entitled to now. */
  async #note(): Promise<void> {
    for (const user of this.#users) user.expected.push(await this.#expectedOf(user));
  }

  async #settle(): Promise<void> {
    for (const [i, user] of this.#users.entries()) {
      const client = this.#clients[i];
      if (client === undefined) continue;
      const isThere = () => this.#shownBy(client) === user.expected.at(-1);
      await until(`${user.name} has the rows`, isThere, 60_000).catch(() => {
        expect(JSON.parse(this.#shownBy(client))).toEqual(JSON.parse(user.expected.at(-1) ?? ''));
      });
    }
  }

  /** Every state shown was one of the source, and none came before one that was shown earlier. */
  #compare({ name, shown, expected }: OracleUser): void {
    let commit = 0;
    for (const [checkpoint, rows] of shown.entries()) {
      const found = expected.indexOf(rows, commit);
      if (found < 0) {
        const now = JSON.parse(expected[commit] ?? '""');
        expect({ name, checkpoint, commit, rows: JSON.parse(rows) }).toEqual({ name, checkpoint, commit, rows: now }); // prettier-ignore
      }
      commit = found;
    }
  }

  /** Says what was tried, and fails when hardly anything was: empty results prove little. */
  #expectVariety(): void {
    const shown = this.#users.flatMap((user) => user.shown);
    const rows = shown.map((text) => (text.match(/\\"id\\"/g) ?? []).length);
    const refused = [...this.#config.refused].map(([code, count]) => `${code} ${count}`).join(', ');
    const queries = this.#config.streams.flatMap((stream) => stream.queries).length;
    console.info(
      `${queries} queries, ${shown.length} checkpoints with ${Math.max(...rows)} rows at most; refused while drawing: ${refused}`,
    );
    expect(shown.length).toBeGreaterThan(this.#users.length * 5);
    expect(new Set(shown).size).toBeGreaterThan(this.#users.length * 3);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await this.#service.stop('SIGKILL');
    await this.#sql.end();
  }
}
