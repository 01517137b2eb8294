import {
  createSyncLayout,
  installSchema,
  SqlError,
  type CompiledSchema,
  type SqliteConnection,
  type SqlValue,
} from '@sluice/client';

/** A row of the upload queue. */
type QueueRow = readonly [id: SqlValue, txId: SqlValue, data: SqlValue, createdAt: SqlValue];

const COLUMNS = 'id, tx_id, data, created_at';
const REBUILT = 'rebuilt';

/** Whether SQLite found that the file is no database, or is not whole. */
export function isDamage(error: unknown): boolean {
  return error instanceof SqlError && /^SQLITE_(?:CORRUPT|NOTADB)/.test(error.sqliteCode);
}

/**
 * What still can be read of the upload queue of a damaged database: from its beginning up to the damage, and from its end back to it.
 * Does not throw for what is damaged.
 */
export function readQueue(damaged: SqliteConnection): readonly QueueRow[] {
  const rows = new Map<SqlValue, QueueRow>();
  try {
    // A damaged description of one table does not keep the others from being read.
    damaged.exec('PRAGMA writable_schema = ON');
    for (const order of ['ASC', 'DESC']) readInOrder(damaged, order, rows);
  } catch (error) {
    if (!isDamage(error) && !isMissingTable(error)) throw error;
  }
  return [...rows.values()].sort(([one], [other]) => (Number(one) < Number(other) ? -1 : 1));
}

/** Whether `restoreQueue` was done: a crash may have come before it. */
export function isRebuilt(connection: SqliteConnection): boolean {
  const layout = `SELECT 1 FROM sqlite_schema WHERE name = 'sluice_kv'`;
  if (connection.prepare(layout).get() === undefined) return false;
  const mark = 'SELECT 1 FROM sluice_kv WHERE key = ?';
  return connection.prepare(mark).get([REBUILT]) !== undefined;
}

/**
 * Puts the queue into a new database, which holds downloads back until it is uploaded, as after local writes. All or nothing, once.
 * The database has another client id: as the numbers of what was uploaded before may be lost, the backend must not take a new
 * transaction for one that it knows.
 */
export function restoreQueue(
  connection: SqliteConnection,
  schema: CompiledSchema,
  rows: readonly QueueRow[],
): void {
  createSyncLayout(connection);
  installSchema(connection, schema);
  connection.exec('BEGIN IMMEDIATE');
  try {
    const insert = connection.prepare(`INSERT INTO sluice_crud (${COLUMNS}) VALUES (?, ?, ?, ?)`);
    for (const row of rows) insert.run(row);
    if (rows.length > 0) {
      // Arms the gate by its trigger.
      connection.exec('UPDATE sluice_tx SET armed = 1; UPDATE sluice_tx SET armed = 0');
    }
    connection.exec(
      'UPDATE sluice_tx SET tx_id = max(tx_id, (SELECT coalesce(max(tx_id), 0) FROM sluice_crud))',
    );
    connection.prepare('INSERT INTO sluice_kv (key, value) VALUES (?, 1)').run([REBUILT]);
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.inTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

function readInOrder(
  damaged: SqliteConnection,
  order: string,
  rows: Map<SqlValue, QueueRow>,
): void {
  try {
    const sql = `SELECT ${COLUMNS} FROM sluice_crud ORDER BY id ${order}`;
    for (const [id = null, txId = null, data = null, createdAt = null] of damaged
      .prepare(sql)
      .iterate()) {
      if (typeof data === 'string') rows.set(id, [id, txId, data, createdAt]);
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
}

function isMissingTable(error: unknown): boolean {
  return error instanceof SqlError && error.message.startsWith('no such table');
}
