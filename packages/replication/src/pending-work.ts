import type { RowChange, StoredTable } from '@sluice/storage';
import { ChangeBuffer } from './change-buffer.ts';
import type { ReplicatedTable } from './replicated-table.ts';
import type { ResumePoint } from './resume-point.ts';

/** What the next batch says of rows and tables. */
export interface TakenWork {
  readonly changes: readonly RowChange[];
  readonly tables: readonly StoredTable[];
  readonly forgetTables: readonly number[];
}

/** What waits to be written: row changes, and what is to be remembered or forgotten of tables. */
export class PendingWork {
  readonly buffer: ChangeBuffer;
  readonly #dirty = new Set<ReplicatedTable>();
  #forget: number[] = [];

  constructor(resume: ResumePoint) {
    this.buffer = new ChangeBuffer(resume);
  }

  get isEmpty(): boolean {
    return this.buffer.isEmpty && this.#dirty.size === 0 && this.#forget.length === 0;
  }

  /** The state of the table is other than what is stored. */
  markDirty(table: ReplicatedTable): void {
    this.#dirty.add(table);
  }

  /** Nothing is remembered of the table; its rows are somebody else's business. */
  dropState(table: ReplicatedTable): void {
    this.#dirty.delete(table);
  }

  /** Forgets tables whose rows are gone. */
  forget(tableIds: readonly number[]): void {
    this.#forget.push(...tableIds);
  }

  /** Removes the rows of a table, telling clients, and forgets it. */
  removeRows(tableId: number): void {
    this.buffer.push({ kind: 'truncate', tableId });
    this.#forget.push(tableId);
  }

  restartSnapshot(table: ReplicatedTable): void {
    table.restartSnapshot();
    this.buffer.push({ kind: 'truncate', tableId: table.id });
    this.#dirty.add(table);
  }

  take(): TakenWork {
    const tables = [...this.#dirty].map((table) => table.stored());
    const forgetTables = this.#forget;
    this.#dirty.clear();
    this.#forget = [];
    return { changes: this.buffer.take(), tables, forgetTables };
  }
}
