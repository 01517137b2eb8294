import pg from 'pg';
import type { Logger } from '@sluice/base';
import type { PostgresConnectionOptions } from '../options.ts';
import { connectionSettings } from './settings.ts';
import { tolerateLoss } from './tolerate-loss.ts';
import { pgConfig } from './wire-connection.ts';

/**
 * A pool of plain connections to the database of a source, for whoever writes to it: sessions as the
 * server sets them up. Connects when it is first used; to be ended by the caller.
 *
 * @throws ConfigError `CONFIG_INVALID_VALUE` naming the key that is missing or wrong.
 */
export function openPool(
  options: PostgresConnectionOptions,
  { maxConnections, logger }: { readonly maxConnections: number; readonly logger: Logger },
): pg.Pool {
  const pool = new pg.Pool({
    ...pgConfig(connectionSettings(options)),
    max: maxConnections,
    idleTimeoutMillis: 30_000,
  });
  tolerateLoss(pool, logger, 'pool_idle_connection_lost');
  return pool;
}
