import type { SqliteConnection } from '../../driver/contract.ts';
import type { CompiledTable } from '../../schema/compiled-schema.ts';
import { StoredRows } from './stored-rows.ts';

/**
 * After a soft clear (spec/client.md 4.8) what was downloaded is kept out of the tables, until a full checkpoint says what of it whoever
 * is signed in now may see: `hidden` in `sluice_kv`. Until then no checkpoint of single priorities is published, and no table that
 * comes into the schema takes its rows.
 */
export function hasHiddenRows(connection: SqliteConnection): boolean {
  return connection.prepare(`SELECT 1 FROM sluice_kv WHERE key = 'hidden'`).get() !== undefined;
}

/** Bodies go from the tables to their holders, without local writes; the tables' own rows are the caller's to delete. In its transaction. */
export function hideRows(connection: SqliteConnection, tables: readonly CompiledTable[]): void {
  const rows = new StoredRows(connection);
  for (const table of tables) rows.releaseRows(table);
  connection.exec(`INSERT OR REPLACE INTO sluice_kv (key, value) VALUES ('hidden', 1)`);
}

/** Into empty tables, in the caller's transaction, which goes on to take back what is not to be seen. */
export function unhideRows(connection: SqliteConnection, tables: readonly CompiledTable[]): void {
  connection.exec(`DELETE FROM sluice_kv WHERE key = 'hidden'`);
  const rows = new StoredRows(connection);
  for (const table of tables) rows.adoptRows(table);
}
