import { SeededRandom } from '@sluice/testing';
import SqliteDatabase from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { migrate, STORAGE_MIGRATIONS } from './migrations.ts';
import { ROW_STATE_LOG_LIMITS, type RowStateLogLimits } from './row-state-log.ts';
import type { RowState } from './row-state.ts';
import { RowStates, type RowEntry } from './row-states.ts';

const GENERATION = 1;
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

function newDatabase(): SqliteDatabase.Database {
  const db = new SqliteDatabase(':memory:');
  migrate(db, STORAGE_MIGRATIONS);
  return db;
}

function stateOf(content: number): RowState {
  const contentHash = String(content).padStart(8, '0');
  const outputs = [{ typeId: 1, objectId: 'o', contentHash, bucketIds: [content] }];
  return { outputs, lookups: [], count: 1, tombstone: false, hasCopy: false };
}

function entryOf(tableId: number, key: string, isInOrder = false): RowEntry {
  return {
    tableId,
    key,
    isInOrder,
    state: undefined,
    isStored: false,
    isLogged: false,
    isDirty: false,
  };
}

/** Loads a row, then gives it other content, or none. */
function write(states: RowStates, entry: RowEntry, content: number | undefined): void {
  states.load(entry.tableId, new Map([[entry.key, entry]]));
  entry.state = content === undefined ? undefined : stateOf(content);
  entry.isDirty = true;
  states.store([entry]);
  states.upkeep();
}

function contentOf(states: RowStates, tableId: number, key: string): number | undefined {
  const entry = entryOf(tableId, key);
  states.load(tableId, new Map([[key, entry]]));
  return entry.state?.outputs[0]?.bucketIds[0];
}

const count = (db: SqliteDatabase.Database, table: 'row_states' | 'row_state_log'): unknown =>
  db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();

describe('row states', () => {
  it.each([
    { maxRows: 1, maxBytes: 1 << 20, mergeRows: 1 },
    { maxRows: 10, maxBytes: 1 << 20, mergeRows: 3 },
    { maxRows: 1000, maxBytes: 400, mergeRows: 7 },
    ROW_STATE_LOG_LIMITS,
  ] as readonly RowStateLogLimits[])(
    `are what was written last, through rollbacks and restarts, with %j (SEED=${seed})`,
    (limits) => {
      const random = new SeededRandom(seed);
      const db = newDatabase();
      let states = new RowStates(db, GENERATION, limits);
      const model = new Map<string, number>();
      for (let step = 0; step < 1500; step++) {
        const [tableId, key] = [1 + random.int(2), `key ${random.int(40)}`];
        const name = `${tableId}/${key}`;
        expect(contentOf(states, tableId, key), `SEED=${seed}, step ${step}`).toBe(model.get(name));
        const content = random.chance(0.25) ? undefined : step;
        const isRolledBack = random.chance(0.1);
        db.exec('BEGIN');
        write(states, entryOf(tableId, key, random.chance(0.3)), content);
        if (random.chance(0.02)) states.settle(tableId);
        db.exec(isRolledBack ? 'ROLLBACK' : 'COMMIT');
        if (isRolledBack) states.reload();
        else if (content === undefined) model.delete(name);
        else model.set(name, content);
        if (random.chance(0.02)) states = new RowStates(db, GENERATION, limits);
      }
      states.settle(1);
      states.settle(2);
      expect(count(db, 'row_state_log')).toBe(0);
      expect(count(db, 'row_states')).toBe(model.size);
    },
  );

  it('of a snapshot are written where they belong at once, others when many have gathered', () => {
    const db = newDatabase();
    const states = new RowStates(db, GENERATION, { maxRows: 10, maxBytes: 1 << 20, mergeRows: 10 });
    write(states, entryOf(1, 'read', true), 1);
    expect([count(db, 'row_states'), count(db, 'row_state_log')]).toEqual([1, 0]);
    for (let row = 0; row < 9; row++) write(states, entryOf(1, `streamed ${row}`), row);
    expect([count(db, 'row_states'), count(db, 'row_state_log')]).toEqual([1, 9]);
    for (let row = 9; row < 20; row++) write(states, entryOf(1, `streamed ${row}`), row);
    expect(count(db, 'row_states')).toBe(11);
  });

  it('of a snapshot do not hide behind an older entry of the log after a restart', () => {
    const db = newDatabase();
    const states = new RowStates(db, GENERATION, ROW_STATE_LOG_LIMITS);
    write(states, entryOf(1, 'k'), 1);
    write(states, entryOf(1, 'k'), undefined);
    write(states, entryOf(1, 'k', true), 2);
    expect(contentOf(new RowStates(db, GENERATION, ROW_STATE_LOG_LIMITS), 1, 'k')).toBe(2);
  });

  it('that wait are bounded, whatever is written', () => {
    const db = newDatabase();
    const limits = { maxRows: 50, maxBytes: 1 << 20, mergeRows: 10 };
    const states = new RowStates(db, GENERATION, limits);
    for (let row = 0; row < 1000; row++) {
      write(states, entryOf(1, `row ${row % 300}`), row);
      expect(count(db, 'row_state_log')).toBeLessThanOrEqual(2 * limits.maxRows);
    }
  });
});
