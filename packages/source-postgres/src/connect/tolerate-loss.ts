import type { Logger } from '@sluice/base';
import type pg from 'pg';

/**
 * Losing a connection is told to whoever waits for an answer on it, or asks next. The driver emits it
 * as well, and without a listener at that moment (a connection in use, between two statements) that
 * would end the process.
 */
export function tolerateLoss(pool: pg.Pool, logger: Logger, event: string): void {
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', ({ message }) => logger.debug(event, { message })); // while idle
}
