import type { JsonObject, JsonValue } from '@sluice/base';

/** One column of a row that is not as before; undefined where it did not or does not exist. */
export interface ColumnChange {
  readonly column: string;
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
}

/** The columns that differ, in the order of the new row, then those that went. `id` is left out. */
export function changedColumns(before: JsonObject | undefined, after: JsonObject): ColumnChange[] {
  const changes: ColumnChange[] = [];
  for (const [column, value] of Object.entries(after)) {
    if (column === 'id') continue;
    const old = before?.[column];
    if (JSON.stringify(old) !== JSON.stringify(value)) {
      changes.push({ column, before: old, after: value });
    }
  }
  for (const [column, old] of Object.entries(before ?? {})) {
    if (!(column in after)) changes.push({ column, before: old, after: undefined });
  }
  return changes;
}
