import type { Logger } from '@sluice/base';
import type { WriteApiConfig } from '../config/write-api-config.ts';
import { Bookkeeping } from './bookkeeping.ts';
import { RejectedWritesTable } from './rejected-writes.ts';
import { withConnection, type WriteDatabase } from './write-database.ts';

export interface PrepareWriteDatabaseOptions {
  readonly database: WriteDatabase;
  readonly config: Pick<WriteApiConfig, 'schema' | 'rejectedWrites' | 'rememberUploadsDays'>;
  readonly logger: Logger;
}

/**
 * Makes the tables of the write API's own where they are missing. An upload does that too; before the
 * first one it shows what the role may not do, and a sync config may name the table of refused writes.
 *
 * @throws AppError `UPLOAD_SETUP` where the role may not; errors of the connection.
 */
export async function prepareWriteDatabase(options: PrepareWriteDatabaseOptions): Promise<void> {
  const { database, config, logger } = options;
  const { schema, rejectedWrites, rememberUploadsDays: rememberDays } = config;
  const rejected = rejectedWrites && new RejectedWritesTable(schema, rejectedWrites);
  const bookkeeping = new Bookkeeping({ rejected, rememberDays, logger });
  await withConnection(database, (connection) => bookkeeping.ensure(connection));
}
