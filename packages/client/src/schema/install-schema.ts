import { inWriteTransaction } from '../database/transaction.ts';
import type { SqliteConnection } from '../driver/contract.ts';
import type { CompiledSchema, CompiledTable } from './compiled-schema.ts';
import { createLayout, typeNumber } from './layout.ts';
import { defineSqlFunctions } from './sql-functions.ts';
import { tableObjects } from './table-objects.ts';

/** Where the rows of a synced table are while the app's schema does not have it: the sync store knows. */
export interface SyncedRows {
  /** The table was just made and is empty: puts in the rows that were synced before. No triggers are there yet. */
  adoptRows(table: CompiledTable): void;
  /** The table is about to be dropped: keeps the rows as the server has them. No triggers are there any more. */
  releaseRows(table: CompiledTable): void;
}

const NO_ROWS: SyncedRows = { adoptRows: () => undefined, releaseRows: () => undefined };

/**
 * Makes a database fit a schema, in one transaction: lays out a new one, changes the tables of an existing one.
 * Defines the SQL functions that the tables need on this connection.
 */
export function installSchema(
  connection: SqliteConnection,
  schema: CompiledSchema,
  rows: SyncedRows = NO_ROWS,
): void {
  defineSqlFunctions(connection);
  inWriteTransaction(connection, () => {
    createLayout(connection);
    for (const table of schema.tables) createTable(connection, table, rows);
  });
}

function createTable(connection: SqliteConnection, table: CompiledTable, rows: SyncedRows): void {
  const objects = tableObjects(table, typeNumber(connection, table.name));
  connection.exec(objects.table.sql);
  if (objects.idIndex !== undefined) connection.exec(objects.idIndex.sql);
  if (table.kind === 'synced') rows.adoptRows(table);
  for (const { sql } of [...objects.indexes, ...objects.triggers]) connection.exec(sql);
}
