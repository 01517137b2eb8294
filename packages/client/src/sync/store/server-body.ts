import type { SqliteConnection } from '../../driver/contract.ts';
import { mergeObjects, type TableWriter } from './table-writer.ts';

/** JSON of a row as the server has it: the one beneath local writes, if there are any. */
export function serverBody(
  connection: SqliteConnection,
  row: { readonly writer: TableWriter; readonly type: number; readonly id: string },
): string {
  const beneath = connection
    .prepare('SELECT data FROM sluice_shadow WHERE type = ? AND id = ?')
    .get([row.type, row.id]);
  if (beneath === undefined) return row.writer.bodyOf(row.id) ?? '{}';
  return mergeObjects(String(beneath[0] ?? '{}'), row.writer.restOf(row.id));
}
