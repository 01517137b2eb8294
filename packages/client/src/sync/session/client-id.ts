import type { SqliteConnection } from '../../driver/contract.ts';

/** The name of this database at the service and the backend: made once, and kept when everything else is cleared. */
export function clientId(connection: SqliteConnection, newId: () => string): string {
  connection
    .prepare(`INSERT INTO sluice_kv (key, value) VALUES ('client_id', ?) ON CONFLICT DO NOTHING`)
    .run([newId()]);
  const row = connection.prepare(`SELECT value FROM sluice_kv WHERE key = 'client_id'`).get();
  return String(row?.[0]);
}
