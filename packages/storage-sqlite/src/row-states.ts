import type { Statement } from 'better-sqlite3';
import { ByteWriter } from './byte-writer.ts';
import type { Database } from './database.ts';
import type { RecentState, StatePlace } from './recent-states.ts';
import { RowStateLog, type RowStateLogLimits } from './row-state-log.ts';
import { readRowState, writeRowState, type RowState } from './row-state.ts';

/** One row of a window: its state as read, and then as changed. */
export interface RowEntry {
  readonly tableId: number;
  readonly key: string;
  /** Whether rows come in the order of their keys, as a snapshot reads them. */
  readonly isInOrder: boolean;
  /** Undefined: the row is not known. */
  state: RowState | undefined;
  /** Whether the database has a state of the row. */
  isStored: boolean;
  /** Whether the log has a newer one than the table. */
  isLogged: boolean;
  isDirty: boolean;
}

/**
 * Statements for many rows at once save most of the cost of a call: about 0.7 us per row against
 * 2.3 us. A rest that is too small for the large statement goes through the next smaller one.
 */
const GROUP_SIZES = [64, 16, 4, 1] as const;

type Row = readonly [key: string, state: Buffer];

/**
 * Reads and writes row states of one generation in groups. What a snapshot brings goes to their table
 * at once, page by page as it comes in order; everything else goes through the log in front of it.
 */
export class RowStates {
  readonly #generationId: number;
  readonly #selects: ReadonlyMap<number, Statement<unknown[], Row>>;
  readonly #upserts: ReadonlyMap<number, Statement<unknown[]>>;
  readonly #delete: Statement<[number, number, string]>;
  readonly #log: RowStateLog;
  readonly #bytes = new ByteWriter();
  readonly #entries = new ByteWriter();

  constructor(db: Database, generationId: number, limits: RowStateLogLimits) {
    this.#generationId = generationId;
    this.#selects = new Map(GROUP_SIZES.map((size) => [size, selectGroup(db, size)]));
    this.#upserts = new Map(GROUP_SIZES.map((size) => [size, upsertGroup(db, size)]));
    this.#delete = db.prepare<[number, number, string]>(
      'DELETE FROM row_states WHERE generation_id = ? AND table_id = ? AND key = ?',
    );
    const merge = (states: readonly RecentState[]): void => this.#merge(states);
    this.#log = new RowStateLog({ db, generationId, limits, merge });
  }

  /** Fills in the states of rows of one table. */
  load(tableId: number, entries: ReadonlyMap<string, RowEntry>): void {
    const keys = this.#log.isEmpty ? [...entries.keys()] : this.#loadLogged(entries);
    keys.sort();
    for (const [from, size] of groups(keys.length)) {
      const group = keys.slice(from, from + size);
      const rows = this.#selects.get(size)?.all(this.#generationId, tableId, ...group) ?? [];
      for (const [key, bytes] of rows) {
        const entry = entries.get(key);
        if (entry === undefined) continue;
        entry.state = readRowState(bytes, key);
        entry.isStored = true;
      }
    }
  }

  /** Writes what changed. */
  store(entries: readonly RowEntry[]): void {
    const direct: RecentState[] = [];
    const logged: RowEntry[] = [];
    this.#bytes.reset();
    for (const entry of entries) {
      if (!entry.isDirty) continue;
      if (entry.isInOrder && !entry.isLogged) direct.push(this.#encoded(entry));
      else if (entry.state !== undefined || entry.isStored) logged.push(entry);
    }
    direct.sort(([, a], [, b]) => (a < b ? -1 : 1));
    this.#merge(direct);
    if (logged.length > 0) this.#append(logged);
  }

  /** To be called once per batch: moves states from the log to the table when it is time. */
  upkeep(): void {
    this.#log.upkeep();
  }

  /** Moves the states of a table to where they belong. */
  settle(tableId: number): void {
    while (this.settleStep([tableId]));
  }

  /** The same for several in steps; false when nothing was left to move. */
  settleStep(tableIds: readonly number[]): boolean {
    return this.#log.settleStep(tableIds);
  }

  /** After a transaction was rolled back. */
  reload(): void {
    this.#log.reload();
  }

  /** Gives the keys that the log does not have. */
  #loadLogged(entries: ReadonlyMap<string, RowEntry>): string[] {
    const keys: string[] = [];
    for (const [key, entry] of entries) {
      const bytes = this.#log.find(entry.tableId, key);
      if (bytes === undefined) {
        keys.push(key);
        continue;
      }
      entry.isLogged = true;
      if (bytes.length === 0) continue;
      entry.state = readRowState(bytes, key);
      entry.isStored = true;
    }
    return keys;
  }

  #append(entries: readonly RowEntry[]): void {
    const [target, bytes] = [this.#entries, this.#bytes];
    const places: StatePlace[] = [];
    target.reset();
    for (const { tableId, key, state } of entries) {
      bytes.reset();
      if (state !== undefined) writeRowState(bytes, state, key);
      target.varint(tableId);
      target.text(key);
      places.push({ tableId, key, offset: target.length });
      target.varint(bytes.length);
      target.bytes(bytes.from(0));
    }
    this.#log.append(Buffer.from(target.from(0)), places);
  }

  #encoded({ tableId, key, state }: RowEntry): RecentState {
    const start = this.#bytes.length;
    if (state !== undefined) writeRowState(this.#bytes, state, key);
    return [tableId, key, this.#bytes.from(start)];
  }

  /** Writes to the table; a state without bytes stands for a row that is gone. */
  #merge(states: readonly RecentState[]): void {
    const present = states.filter(([, , state]) => state.length > 0);
    for (const [from, size] of groups(present.length)) {
      const parameters: unknown[] = [];
      for (let at = from; at < from + size; at++) {
        parameters.push(this.#generationId, ...(present[at] as RecentState));
      }
      this.#upserts.get(size)?.run(...parameters);
    }
    if (present.length === states.length) return;
    for (const [tableId, key, state] of states) {
      if (state.length === 0) this.#delete.run(this.#generationId, tableId, key);
    }
  }
}

function selectGroup(db: Database, size: number): Statement<unknown[], Row> {
  const marks = Array(size).fill('?').join(', ');
  return db
    .prepare<unknown[], Row>(
      `SELECT key, state FROM row_states
       WHERE generation_id = ? AND table_id = ? AND key IN (${marks})`,
    )
    .raw();
}

function upsertGroup(db: Database, size: number): Statement<unknown[]> {
  const marks = Array(size).fill('(?, ?, ?, ?)').join(', ');
  return db.prepare(
    `INSERT INTO row_states (generation_id, table_id, key, state) VALUES ${marks}
     ON CONFLICT DO UPDATE SET state = excluded.state`,
  );
}

/** Splits `count` into groups of the sizes there are statements for. */
function* groups(count: number): Generator<readonly [from: number, size: number]> {
  let from = 0;
  for (const size of GROUP_SIZES) {
    for (; count - from >= size; from += size) yield [from, size];
  }
}
