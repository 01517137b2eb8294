import { setImmediate } from 'node:timers/promises';
import { BucketRemoval } from './bucket-removal.ts';
import type { Database } from './database.ts';
import { endOfPrefix } from './name-range.ts';
import { guarded } from './sqlite-error.ts';

/** How long one step may keep other writers waiting. */
const STEP_MS = 20;
const ROWS_PER_DELETE = 500;

/** Tables whose primary key begins with the generation, with the rest of that key. */
const KEYED_TABLES: readonly (readonly [table: string, restOfKey: string])[] = [
  ['row_states', 'table_id, key'],
  ['row_state_log', 'seq'],
  ['row_copies', 'table_id, key'],
  ['lookups', 'key, from_op'],
  ['deltas', 'seq'],
  ['source_tables', 'table_id'],
  ['object_types', 'type_id'],
  ['discards', 'prefix'],
  ['configs', 'role'],
  ['progress', 'generation_id'],
];

/**
 * Deletes everything that belongs to a generation, then its row, in many short transactions, so
 * that a call that was interrupted leaves less to do for the next.
 */
export async function removeGenerationData(
  db: Database,
  id: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const step of removalSteps(db, id)) {
    let more = true;
    while (more) {
      signal?.throwIfAborted();
      more = guarded(db, () => db.transaction(() => repeatFor(STEP_MS, step)).immediate());
      await setImmediate();
    }
  }
  guarded(db, () => db.prepare('DELETE FROM generations WHERE id = ?').run(id));
}

/** Each deletes a little and tells whether there was anything to delete. */
function removalSteps(db: Database, id: number): readonly (() => boolean)[] {
  const steps = KEYED_TABLES.map(([table, rest]) => {
    const statement = db.prepare<[number, number]>(
      `DELETE FROM ${table} WHERE generation_id = ? AND (${rest}) IN (
         SELECT ${rest} FROM ${table} WHERE generation_id = ? LIMIT ${ROWS_PER_DELETE})`,
    );
    return () => statement.run(id, id).changes > 0;
  });
  const buckets = new BucketRemoval(db, id);
  const unname = () => buckets.unname('', endOfPrefix('')).length > 0;
  return [...steps, unname, () => buckets.deleteSome()];
}

/** Runs a step until it finds nothing more to do (false) or the time is over (true). */
function repeatFor(ms: number, step: () => boolean): boolean {
  const end = performance.now() + ms;
  do {
    if (!step()) return false;
  } while (performance.now() < end);
  return true;
}
