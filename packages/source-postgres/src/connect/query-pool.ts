import pg from 'pg';
import { SourceError, type Logger } from '@sluice/base';
import { sessionSql } from './session.ts';
import type { ConnectionSettings } from './settings.ts';
import { toSourceError } from './source-error.ts';
import { tolerateLoss } from './tolerate-loss.ts';
import { pgConfig } from './wire-connection.ts';

export interface QueryPoolOptions {
  readonly settings: ConnectionSettings;
  readonly maxConnections: number;
  readonly queryTimeoutMs: number;
  readonly logger: Logger;
}

/** What the client waits beyond the server's own limit, before it gives a connection up. */
const NETWORK_GRACE_MS = 5000;
const CLOSE_TIMEOUT_MS = 5000;
const MAX_CATALOG_TRIES = 10;

/** Connections for ordinary queries. Each query is bounded by the time limit, on both sides. */
export class QueryPool implements AsyncDisposable {
  readonly #pool: pg.Pool;
  readonly settings: ConnectionSettings;
  #version: number | undefined;

  constructor(options: QueryPoolOptions) {
    const { settings, queryTimeoutMs } = options;
    this.settings = settings;
    this.#pool = new pg.Pool({
      ...pgConfig(settings),
      max: options.maxConnections,
      idleTimeoutMillis: 30_000,
      query_timeout: queryTimeoutMs + NETWORK_GRACE_MS,
      onConnect: async (client) => {
        await client.query(sessionSql(queryTimeoutMs));
      },
    });
    tolerateLoss(this.#pool, options.logger, 'source_idle_connection_lost');
  }

  /**
   * Runs one statement; rows as pg maps them (int8 and numeric as text).
   *
   * @throws SourceError with the code that fits the server's SQLSTATE.
   */
  async query<Row extends object>(
    doing: string,
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    try {
      const result = await this.#pool.query<Row>(sql, [...values]);
      return result.rows;
    } catch (error) {
      throw toSourceError(error, this.settings, doing);
    }
  }

  /**
   * Runs one statement over the catalog. The views of publications open tables that may be dropped just then, and fail (as an
   * internal error, in the words of the server's language); asked again, they see what is there now.
   *
   * @throws SourceError as `query`.
   */
  async queryCatalog<Row extends object>(
    doing: string,
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.query<Row>(doing, sql, values);
      } catch (error) {
        const isInternal = error instanceof SourceError && error.details['sqlState'] === 'XX000';
        if (!isInternal || tries === MAX_CATALOG_TRIES) throw error;
      }
    }
  }

  /**
   * Works with one connection; after a failure it is not used again.
   *
   * @throws SourceError as `query`.
   */
  async withConnection<T>(doing: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    let client: pg.PoolClient | undefined;
    let isBroken = true;
    try {
      client = await this.#pool.connect();
      const result = await work(client);
      isBroken = false;
      return result;
    } catch (error) {
      throw toSourceError(error, this.settings, doing);
    } finally {
      client?.release(isBroken);
    }
  }

  /** For example 150007 for 15.7. Asked once: a running server does not change its version. */
  async serverVersion(): Promise<number> {
    this.#version ??= await readServerVersion(this);
    return this.#version;
  }

  /** Ends idle connections now and others after their query, but does not wait longer than 5 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#pool.ended || this.#pool.ending) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)));
    await Promise.race([this.#pool.end(), late]);
    clearTimeout(timer);
  }
}

async function readServerVersion(pool: QueryPool): Promise<number> {
  const [row] = await pool.query<{ version: number }>(
    'Reading the server version',
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  return row?.version ?? 0;
}
