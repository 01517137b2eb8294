import type { RowValues, RowWrite } from '../pipeline/row-write.ts';
import { isSameValue } from './same-value.ts';

/**
 * Column by column: what nobody has changed since the client saw it is written, what somebody has is
 * kept, and named in `conflicts`. A column without a value from before is written. Deletes win.
 */
export function mergeFields(write: RowWrite, stored: RowValues): RowWrite {
  const { base } = write;
  if (base === undefined || write.op === 'DELETE') return write;
  const values = new Map(write.values);
  const conflicts: string[] = [];
  for (const [column, value] of write.values) {
    const before = base.get(column);
    const now = stored.get(column) ?? null;
    if (before === undefined || isSameValue(before, now)) continue;
    values.delete(column);
    // Two who made the same change agree.
    if (!isSameValue(value, now)) conflicts.push(column);
  }
  return conflicts.length === 0 ? { ...write, values } : { ...write, values, conflicts };
}
