import type { SqliteConnection } from '../driver/contract.ts';

/**
 * What lies beside the app's tables for the sake of local writes and schema changes
 * (docs/decisions/2026-11-25-client.md); the sync store has more of its own.
 */
export const LAYOUT_VERSION = 1;

const MAX_OP_TEXT = '9223372036854775807';

/**
 * sluice_kv: `layout`, `schema` (compiled, JSON), `sent` (see `SentEntries`), and the write gate: `target`, `seen`, `applied`, whose rows are
 * always there, so that triggers only update them: a conflict clause inside a trigger gives way to the one of the statement that fired it.
 *
 * sluice_guard.applying: 1 while rows are written that are no local writes; no trigger acts then.
 *
 * sluice_tx: `open` once the transaction has captured a write, which gives it its `tx_id` and its time (ms since 1970);
 * `armed` once it has armed the gate, which writes to insert-only tables do not. Whoever commits sets both back.
 *
 * sluice_shadow: the row as the server has it, beneath local writes: a JSON object of its columns that are not
 * null; NULL if the server has no such row.
 *
 * sluice_rest: values of columns that the app's schema does not have, as a JSON object.
 *
 * sluice_dead: queue entries that the backend did not take, with the reason.
 *
 * sluice_replaced: rows that the write in progress may displace by a unique index. Left over if nothing came of the write.
 */
const LAYOUT = `
CREATE TABLE sluice_kv (key TEXT PRIMARY KEY NOT NULL, value) WITHOUT ROWID;
CREATE TABLE sluice_guard (applying INTEGER NOT NULL);
CREATE TABLE sluice_tx (tx_id INTEGER NOT NULL, open INTEGER NOT NULL, armed INTEGER NOT NULL, started_at INTEGER NOT NULL);
CREATE TABLE sluice_crud (id INTEGER PRIMARY KEY AUTOINCREMENT, tx_id INTEGER, data TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE sluice_type (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE sluice_shadow (type INTEGER NOT NULL, id TEXT NOT NULL, data TEXT, PRIMARY KEY (type, id)) WITHOUT ROWID;
CREATE TABLE sluice_rest (type INTEGER NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (type, id)) WITHOUT ROWID;
CREATE TABLE sluice_replaced (type INTEGER NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL, entry TEXT NOT NULL);
CREATE TABLE sluice_dead (id INTEGER PRIMARY KEY, tx_id INTEGER, data TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TRIGGER sluice_arm AFTER UPDATE OF armed ON sluice_tx WHEN NEW.armed > OLD.armed BEGIN
  UPDATE sluice_kv SET value = ${MAX_OP_TEXT} WHERE key = 'target' AND value IS NOT ${MAX_OP_TEXT};
  UPDATE sluice_kv SET value = NULL WHERE key IN ('seen', 'applied') AND value IS NOT NULL;
END;
INSERT INTO sluice_kv VALUES ('layout', ${LAYOUT_VERSION}), ('target', NULL), ('seen', NULL), ('applied', NULL), ('sent', 0);
INSERT INTO sluice_guard VALUES (0);
INSERT INTO sluice_tx VALUES (0, 0, 0, 0);
`;

/** Makes the tables of this layout in a new database; inside the caller's transaction. */
export function createLayout(connection: SqliteConnection): void {
  connection.exec(LAYOUT);
}

/** The number that stands for an object type in the tables of the layout; given at its first use, never changed. */
export function typeNumber(connection: SqliteConnection, name: string): number {
  const known = connection.prepare('SELECT id FROM sluice_type WHERE name = ?').get([name]);
  if (known !== undefined) return Number(known[0]);
  const { lastInsertRowid } = connection
    .prepare('INSERT INTO sluice_type (name) VALUES (?)')
    .run([name]);
  return Number(lastInsertRowid);
}
