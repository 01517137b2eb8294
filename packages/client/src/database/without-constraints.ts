import type { SqliteConnection } from '../driver/contract.ts';

const OFF: Readonly<Record<string, number>> = {
  foreign_keys: 0,
  ignore_check_constraints: 1,
  legacy_alter_table: 1,
};

/**
 * Constraints are for the app's writes, while rows that are published or moved are as the server has them. And a table
 * that is dropped to be made anew must not take others with it, by their foreign keys, nor views along.
 * Not inside a transaction, as foreign keys cannot be switched off there.
 */
export function withoutConstraints<T>(connection: SqliteConnection, body: () => T): T {
  const former = Object.keys(OFF).map(
    (name) => [name, connection.prepare(`PRAGMA ${name}`).get()?.[0] ?? 0] as const,
  );
  for (const [name, value] of Object.entries(OFF)) connection.exec(`PRAGMA ${name} = ${value}`);
  try {
    return body();
  } finally {
    for (const [name, value] of former) connection.exec(`PRAGMA ${name} = ${String(value)}`);
  }
}
