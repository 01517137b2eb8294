import { inWriteTransaction } from '../database/transaction.ts';
import { withoutConstraints } from '../database/without-constraints.ts';
import type { SqliteConnection } from '../driver/contract.ts';
import type { CompiledSchema } from '../schema/compiled-schema.ts';
import { quoteName } from '../schema/sql-text.ts';
import { hideRows } from '../sync/store/hidden-rows.ts';

export interface ClearOptions {
  /** Whether local-only tables are emptied too. */
  readonly clearLocal: boolean;
  /** Keeps what was downloaded aside, for when the same user comes back. */
  readonly soft: boolean;
}

const DOWNLOADED = `
DELETE FROM sluice_bucket;
DELETE FROM sluice_staged;
DELETE FROM sluice_row;
DELETE FROM sluice_kv WHERE key = 'hidden';
`;

const SYNC_STATE = `
DELETE FROM sluice_crud;
DELETE FROM sluice_dead;
DELETE FROM sluice_shadow;
DELETE FROM sluice_replaced;
DELETE FROM sluice_sync_state;
DELETE FROM sluice_stream;
UPDATE sluice_kv SET value = NULL WHERE key IN ('target', 'seen', 'applied');
DELETE FROM sluice_kv WHERE key = 'requested';
`;

/**
 * Forgets what one user synced and wrote (spec/client.md 4.8), in one transaction: the next one begins as in a new
 * database, but for the client id and the numbers of queue entries and transactions, which stay in use. Returns the tables that were emptied.
 */
export function clearDatabase(
  connection: SqliteConnection,
  schema: CompiledSchema,
  { clearLocal, soft }: ClearOptions,
  beforeCommit: () => void = () => undefined,
): readonly string[] {
  const kept = schema.tables.filter(({ kind }) => kind === 'local' && !clearLocal);
  const emptied = schema.tables.filter(
    (table) => table.kind !== 'insertOnly' && !kept.includes(table),
  );
  withoutConstraints(connection, () =>
    inWriteTransaction(connection, () => {
      connection.exec('UPDATE sluice_guard SET applying = 1');
      if (soft)
        hideRows(
          connection,
          schema.tables.filter(({ kind }) => kind === 'synced'),
        );
      else connection.exec(DOWNLOADED);
      for (const { viewName } of emptied) connection.exec(`DELETE FROM ${quoteName(viewName)}`);
      connection.exec(SYNC_STATE);
      connection
        .prepare(
          `DELETE FROM sluice_rest WHERE type NOT IN
            (SELECT id FROM sluice_type WHERE name IN (SELECT value FROM json_each(?)))`,
        )
        .run([JSON.stringify(kept.map(({ name }) => name))]);
      connection.exec('UPDATE sluice_guard SET applying = 0');
      beforeCommit();
    }),
  );
  return emptied.map(({ viewName }) => viewName.toLowerCase());
}
