import { silentLogger, toAppError } from '@sluice/base';
import { openPool } from '@sluice/source-postgres';
import { DEFAULT_WRITE_API, prepareWriteDatabase } from '@sluice/write-api';
import type { CliContext } from '../cli-context.ts';
import { sourceUrl } from '../database/connection-url.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Makes the tables of the write API now, as the service would at its start: the sync config is checked
 * before that, and may sync the table of refused writes. Where it cannot, uploads cannot work either, but
 * all else does: that is said, and the start goes on.
 */
export async function prepareWriteApi(
  { screen }: CliContext,
  database: { readonly url: string },
): Promise<void> {
  const pool = openPool(
    { uri: sourceUrl(database.url), connectTimeoutMs: CONNECT_TIMEOUT_MS },
    { maxConnections: 1, logger: silentLogger },
  );
  try {
    await prepareWriteDatabase({ database: pool, config: DEFAULT_WRITE_API, logger: silentLogger });
  } catch (error) {
    const { message, remedy } = toAppError(error);
    screen.print(`  ${screen.colors.yellow('!')} Uploads will not work: ${message}`);
    screen.print(`    ${remedy}`);
  } finally {
    await pool.end();
  }
}
