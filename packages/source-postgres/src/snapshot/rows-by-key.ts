import type { SqliteRow, SqliteValue } from '@sluice/model';
import type { ConnectionSettings } from '../connect/settings.ts';
import { WireConnection } from '../connect/wire-connection.ts';
import { copyRows } from './copy-rows.ts';
import type { SnapshotPlan } from './snapshot-query.ts';

const KEYS_PER_QUERY = 500;

/** Reads the rows with these keys as they are now; those that are gone are missing. */
export async function readRowsByKey(options: {
  readonly settings: ConnectionSettings;
  readonly plan: SnapshotPlan;
  /** Whole rows of which only the key columns count. */
  readonly keys: readonly SqliteRow[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<readonly SqliteRow[]> {
  const { plan, keys, signal } = options;
  await using connection = await WireConnection.open(options.settings, {
    replication: false,
    signal,
  });
  const found: SqliteRow[] = [];
  for (let at = 0; at < keys.length; at += KEYS_PER_QUERY) {
    const texts = keys
      .slice(at, at + KEYS_PER_QUERY)
      .map((row) => plan.keyColumns.map((column) => keyText(row[column] ?? null)));
    const sql = plan.copyKeysSql(texts);
    const batches = copyRows(connection, {
      sql,
      decoders: plan.decoders,
      timeoutMs: options.timeoutMs,
      maxRows: KEYS_PER_QUERY,
      maxBytes: Number.MAX_SAFE_INTEGER,
    });
    for await (const rows of batches) {
      for (const row of rows) found.push(row.slice(0, plan.columnCount));
    }
  }
  return found;
}

/** Input text that the key column's type accepts for the value. */
function keyText(value: SqliteValue): string {
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return String(value);
}
