import { silentLogger, systemClock } from '@sluice/base';
import type pg from 'pg';
import { PostgresStore, type PostgresStoreOptions } from '../postgres/postgres-store.ts';

/** The store of the write API on a pool, without a table of rejected writes. */
export function storeOn(pool: pg.Pool, options: Partial<PostgresStoreOptions> = {}): PostgresStore {
  return new PostgresStore({
    database: pool,
    schema: 'public',
    role: undefined,
    rejectedWrites: undefined,
    rememberDays: 30,
    statementTimeoutMs: 30_000,
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
}
