import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import type { LocalPostgres } from '@sluice/local-postgres';
import { until } from '@sluice/testing';
import pg from 'pg';
import { expect } from 'vitest';
import { deploy, DEPLOY_CONFIG } from '../../../bench/workloads/deploy.ts';
import { DEV_AUDIENCE } from '../../../apps/cli/src/dev/dev-token.ts';
import { ServiceProcess } from '../service-process.ts';
import { TokenIssuer } from '../tokens.ts';
import type { ClientPlatform, TestClient, TestClientOptions, Transport } from './test-client.ts';

export interface ClientWorldOptions {
  readonly dir: string;
  readonly database: string;
  readonly schema: string;
  /** Rows that are there before the service first starts. */
  readonly prepare?: (sql: pg.Client) => Promise<void>;
  readonly syncConfig: string;
  readonly platform: ClientPlatform;
  readonly transport: Transport;
  /** Further keys of the service's configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
}

interface Parts extends ClientWorldOptions {
  readonly issuer: TokenIssuer;
  readonly service: ServiceProcess;
  readonly pool: pg.Client;
  readonly home: string;
}

/** A database, the service over it, the write API in front of it, and clients of one platform. */
export class ClientWorld implements AsyncDisposable {
  readonly service: ServiceProcess;
  readonly sql: pg.Client;
  readonly home: string;
  readonly #parts: Parts;
  readonly #clients = new Set<TestClient>();
  /** Lifetime of the tokens that clients are given. */
  tokenSeconds = 3600;
  tokensGiven = 0;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.service = parts.service;
    this.sql = parts.pool;
    this.home = parts.home;
  }

  /** The service is not started yet. */
  static async create(postgres: LocalPostgres, options: ClientWorldOptions): Promise<ClientWorld> {
    const { dir, database } = options;
    await postgres.ensureDatabase(database);
    const databaseUrl = postgres.url(database);
    const pool = new pg.Client({ connectionString: databaseUrl });
    await pool.connect();
    await pool.query(options.schema);
    await options.prepare?.(pool);
    const home = await mkdtemp(path.join(dir, `${database}-`));
    const issuer = new TokenIssuer(DEV_AUDIENCE);
    const service = await ServiceProcess.create({
      dir: home,
      databaseUrl,
      syncConfig: '',
      issuer,
      config: { ...DEPLOY_CONFIG, write_api: {}, ...options.config },
    });
    return new ClientWorld({ ...options, issuer, service, pool, home });
  }

  /** The first start: with the sync config, which the service keeps over restarts. */
  async start(): Promise<void> {
    this.service.start();
    await until('the service answers', () => this.service.probe('liveness').catch(() => false));
    await this.deploy(this.#parts.syncConfig);
    await this.service.untilReady();
  }

  deploy(syncConfig: string): Promise<void> {
    return deploy(this.service, syncConfig);
  }

  /** A client of its own database that is not connected yet. */
  async open(
    user: string,
    name = user,
    further: Pick<TestClientOptions, 'checkpointRequests' | 'appMetadata'> = {},
  ): Promise<TestClient> {
    const { platform, transport, issuer } = this.#parts;
    const client = await platform.open({
      name: `${this.#parts.database}-${name}`,
      transport,
      endpoint: this.service.url,
      uploadUrl: `${this.service.url}/upload`,
      ...further,
      token: () => {
        this.tokensGiven += 1;
        return issuer.token(user, this.tokenSeconds);
      },
    });
    this.#clients.add(client);
    return client;
  }

  async close(client: TestClient): Promise<void> {
    this.#clients.delete(client);
    await client[Symbol.asyncDispose]();
  }

  /** Waits until a query on the client gives what another gives on PostgreSQL. */
  async expectSame(
    client: TestClient,
    queries: { readonly client: string; readonly source: string; readonly values?: string[] },
    timeoutMs = 20_000,
  ): Promise<void> {
    const { rows } = await this.sql.query(queries.source, queries.values ?? []);
    const expected = JSON.stringify(rows);
    let actual: unknown;
    const isSame = async (): Promise<boolean> => {
      actual = await client.query(queries.client);
      return JSON.stringify(actual) === expected;
    };
    await until(`the client has ${queries.client}`, isSame, timeoutMs).catch(async (cause) => {
      expect(actual, `${cause}\n${(await client.log()).slice(-20).join('\n')}`).toEqual(rows);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await this.service.stop();
    await this.sql.end();
  }
}
