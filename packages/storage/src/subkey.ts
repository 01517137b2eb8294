import { hash } from 'node:crypto';

/**
 * Tells apart the source rows behind one client row (spec/protocol.md 4.4). Stable for a row as
 * long as its object id stays, and says nothing of key columns that are not synced anyway:
 * `<table id in base 36>/<row key>` where the key is the object id, otherwise 22 characters of a
 * hash salted per generation in place of the key.
 */
export function subkeyOf(tableId: number, rowKey: string, objectId: string, salt: string): string {
  const table = tableId.toString(36);
  if (rowKey === objectId) return `${table}/${rowKey}`;
  const digest = hash('sha256', JSON.stringify([salt, tableId, rowKey]), 'base64url');
  return `${table}/${digest.slice(0, 22)}`;
}
