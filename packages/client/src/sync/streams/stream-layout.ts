import type { SqliteConnection } from '../../driver/contract.ts';

/**
 * sluice_stream: subscriptions (spec/protocol.md 6.2). `params` is canonical JSON, the word null for none. `ttl` in seconds; -1 stands for
 * ever; NULL for a stream that the service subscribes to by itself. `expires_at`, `synced_at` in ms since 1970.
 */
const LAYOUT = `
CREATE TABLE IF NOT EXISTS sluice_stream (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, params TEXT NOT NULL, priority INTEGER, ttl REAL, expires_at INTEGER,
  active INTEGER NOT NULL, is_default INTEGER NOT NULL, synced_at INTEGER, UNIQUE (name, params));
`;

/** Makes the table if it is not there yet. */
export function createStreamLayout(connection: SqliteConnection): void {
  connection.exec(LAYOUT);
}
