import { inWriteTransaction } from '../database/transaction.ts';
import { withoutConstraints } from '../database/without-constraints.ts';
import type { SqliteConnection } from '../driver/contract.ts';
import { ClientError } from '../errors.ts';
import { changeTables } from './change-tables.ts';
import type { CompiledSchema } from './compiled-schema.ts';
import { createLayout, LAYOUT_VERSION } from './layout.ts';
import { defineSqlFunctions } from './sql-functions.ts';
import type { SyncedRows } from './synced-rows.ts';

export interface Installed {
  /** Whether anything in the database had to change. */
  readonly changed: boolean;
  /** What was lost, in sentences for a log. */
  readonly warnings: readonly string[];
}

const NO_ROWS: SyncedRows = { adoptRows: () => undefined, releaseRows: () => undefined };

/**
 * Makes a database fit a schema: lays out a new one, changes the tables of an existing one, all in one transaction.
 * Nothing is read but the former schema if it is the same. Defines the SQL functions that the tables need on this
 * connection. Not inside a transaction, as foreign keys cannot be switched off there.
 *
 * @throws ClientError `LAYOUT` for a database of a newer version; SqlError, e.g. if rows do not fit a new unique index
 */
export function installSchema(
  connection: SqliteConnection,
  schema: CompiledSchema,
  rows: SyncedRows = NO_ROWS,
): Installed {
  defineSqlFunctions(connection);
  const stored = storedSchema(connection);
  const text = JSON.stringify(schema);
  if (stored === text) return { changed: false, warnings: [] };
  const warnings = withoutConstraints(connection, () =>
    inWriteTransaction(connection, () => {
      if (stored === undefined) createLayout(connection);
      const before = stored === undefined ? undefined : (JSON.parse(stored) as CompiledSchema);
      const lost = changeTables(connection, before, schema, rows);
      const save = `INSERT OR REPLACE INTO sluice_kv (key, value) VALUES ('schema', ?)`;
      connection.prepare(save).run([text]);
      return lost;
    }),
  );
  return { changed: true, warnings };
}

/** Undefined for a database without our layout. */
function storedSchema(connection: SqliteConnection): string | undefined {
  const layout = `SELECT 1 FROM sqlite_schema WHERE name = 'sluice_kv'`;
  if (connection.prepare(layout).get() === undefined) return undefined;
  const sql = `SELECT (SELECT value FROM sluice_kv WHERE key = 'layout'), (SELECT value FROM sluice_kv WHERE key = 'schema')`;
  const [version, schema] = connection.prepare(sql).get() ?? [];
  if (Number(version) > LAYOUT_VERSION) {
    throw new ClientError(
      'LAYOUT',
      `The database has layout ${String(version)}; this version of the client knows ${LAYOUT_VERSION}`,
    );
  }
  return String(schema ?? '{"tables":[]}');
}
