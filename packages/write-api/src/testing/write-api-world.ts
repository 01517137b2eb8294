import { ScratchPostgres } from '@sluice/testing';
import pg from 'pg';
import { expect } from 'vitest';
import { writeApiConfig, type WriteApiConfig } from '../config/write-api-config.ts';
import type { RawWriteApi } from '../config/write-api-schema.ts';
import type { RequestHandler } from '../http/router.ts';
import { createWriteApi, type WriteApiOptions } from '../write-api.ts';

export interface Result {
  readonly op_id?: unknown;
  readonly seq?: unknown;
  readonly status: string;
  readonly code?: string;
  readonly message?: string;
  readonly sqlstate?: string;
  readonly duplicate?: boolean;
  readonly row?: Readonly<Record<string, unknown>>;
}

export type WorldOptions = Partial<Omit<WriteApiOptions, 'config'>> & {
  readonly config?: RawWriteApi | undefined;
  readonly userId?: string | undefined;
  readonly statementTimeoutMs?: number | undefined;
};

/** A PostgreSQL with write APIs in front of it. */
export class WriteApiWorld implements AsyncDisposable {
  readonly scratch: ScratchPostgres;
  readonly pool: pg.Pool;

  private constructor(scratch: ScratchPostgres, pool: pg.Pool) {
    this.scratch = scratch;
    this.pool = pool;
  }

  static async start(
    settings: Readonly<Record<string, string>> = {},
    maxConnections = 4,
  ): Promise<WriteApiWorld> {
    const scratch = await ScratchPostgres.start(settings);
    const pool = new pg.Pool({ connectionString: scratch.server.url(), max: maxConnections });
    pool.on('error', () => {}); // tests end connections on purpose
    return new WriteApiWorld(scratch, pool);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.end();
    await this.scratch[Symbol.asyncDispose]();
  }

  /** The database as new, with these tables. */
  async reset(ddl: string): Promise<void> {
    await this.pool.query('DROP SCHEMA IF EXISTS sluice CASCADE; DROP SCHEMA public CASCADE');
    await this.pool.query(`CREATE SCHEMA public; ${ddl}`);
  }

  api({
    config,
    userId = 'u1',
    statementTimeoutMs,
    ...options
  }: WorldOptions = {}): RequestHandler {
    const full = writeApiConfig(config ?? {});
    return createWriteApi({
      database: this.pool,
      authenticate: async () => ({ userId, claims: { sub: userId }, clientId: undefined }),
      config: statementTimeoutMs === undefined ? full : withTimeout(full, statementTimeoutMs),
      ...options,
    });
  }

  async rows(sql: string): Promise<unknown[]> {
    return (await this.pool.query(sql)).rows as unknown[];
  }
}

function withTimeout(config: WriteApiConfig, statementTimeoutMs: number): WriteApiConfig {
  return { ...config, limits: { ...config.limits, statementTimeoutMs } };
}

export function post(
  to: RequestHandler,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const isBody = typeof body === 'string' || body instanceof Uint8Array;
  const text = isBody ? body : JSON.stringify(body);
  return to(
    new Request('http://localhost/upload', { method: 'POST', body: text as string, headers }),
  );
}

/** The results of an upload that is taken. */
export async function results(to: RequestHandler, body: unknown): Promise<readonly Result[]> {
  const response = await post(to, body);
  expect(response.status).toBe(200);
  return ((await response.json()) as { results: Result[] }).results;
}
