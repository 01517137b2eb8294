import { assert, must } from '@sluice/base';
import type { SourcePosition, SqliteRow, SqliteValue } from '@sluice/model';
import { rowKey, type ChangeEvent, type SnapshotChunk } from '@sluice/source';
import type { RowChange, RowRef } from '@sluice/storage';
import { PendingPut, rowBytes } from './pending-put.ts';
import type { ReplicatedTable } from './replicated-table.ts';
import type { PartialTransaction } from './resume-point.ts';
import { hasOmitted, restoreOmitted, rowCopy } from './row-copy.ts';

type CountedTransaction = Pick<PartialTransaction, 'transactionId' | 'changes'>;

interface OpenTransaction {
  readonly id: string;
  readonly commitPosition: SourcePosition;
  /** Row changes seen so far. */
  changes: number;
  /** That many are already stored from before a restart. */
  readonly skip: number;
}

type RowEvent = Extract<ChangeEvent, { kind: 'insert' | 'update' | 'delete' }>;

/**
 * Turns source events and snapshot rows into row changes for storage, in order, and knows where in
 * the change log they end. Makes no I/O: copies of rows that an update needs are asked for with
 * `missingCopies` and handed in.
 */
export class ChangeBuffer {
  #changes: RowChange[] = [];
  #weight = 0;
  /** Copies among the changes not yet written; undefined where the row was deleted. */
  readonly #copies = new Map<string, Uint8Array | undefined>();
  /** Rows that an update left incomplete and whose missing values are stored nowhere. */
  #incomplete = new Map<ReplicatedTable, SqliteRow[]>();

  #position: SourcePosition;
  #transaction: OpenTransaction | undefined;
  #partial: CountedTransaction | undefined;
  #committedAtMs: number | undefined;
  #rowsTotal = 0;

  constructor(resume: {
    readonly position: SourcePosition;
    readonly partial: CountedTransaction | undefined;
  }) {
    this.#position = resume.position;
    this.#partial = resume.partial;
  }

  /** About how many bytes wait to be written. */
  get weight(): number {
    return this.#weight;
  }
  get isEmpty(): boolean {
    return this.#changes.length === 0;
  }
  get inTransaction(): boolean {
    return this.#transaction !== undefined;
  }
  /** Whether every transaction is in storage whole, or not at all, once the buffer is written. */
  get isBetweenTransactions(): boolean {
    return this.#transaction === undefined && this.#partial === undefined;
  }
  /** Where the open transaction commits. */
  get commitPosition(): SourcePosition {
    return must(this.#transaction, 'the transaction of a change').commitPosition;
  }
  /** End of the last complete transaction, or a later place up to which nothing happened. */
  get position(): SourcePosition {
    return this.#position;
  }
  get committedAtMs(): number | undefined {
    return this.#committedAtMs;
  }
  get rowsTotal(): number {
    return this.#rowsTotal;
  }

  /** Where a restart would have to go on once everything in the buffer is durable. */
  get partial(): CountedTransaction | undefined {
    if (this.#transaction === undefined) return this.#partial;
    const { id, changes, skip } = this.#transaction;
    return { transactionId: id, changes: Math.max(changes, skip) };
  }

  /** Empties the buffer. */
  take(): readonly RowChange[] {
    const changes = this.#changes;
    this.#changes = [];
    this.#weight = 0;
    this.#copies.clear();
    return changes;
  }

  /** Rows to read again by their key, because an update left out values that nobody has. */
  takeIncomplete(): ReadonlyMap<ReplicatedTable, readonly SqliteRow[]> {
    const rows = this.#incomplete;
    if (rows.size > 0) this.#incomplete = new Map();
    return rows;
  }

  push(change: RowChange): void {
    this.#changes.push(change);
    this.#weight += 100;
  }

  begin(transactionId: string, commitPosition: SourcePosition): void {
    assert(this.#transaction === undefined, 'transactions do not overlap');
    const partial = this.#partial;
    const skip = partial?.transactionId === transactionId ? partial.changes : 0;
    this.#transaction = { id: transactionId, commitPosition, changes: 0, skip };
    this.#partial = undefined;
  }

  commit(position: SourcePosition, committedAtMs: number): void {
    this.#transaction = undefined;
    this.#position = position;
    this.#committedAtMs = committedAtMs;
  }

  idle(position: SourcePosition): void {
    if (this.#transaction === undefined && position > this.#position) this.#position = position;
  }

  /** Counts a change of rows; false when it is already stored from before a restart. */
  countChange(): boolean {
    const transaction = this.#transaction;
    assert(transaction !== undefined, 'row changes lie within a transaction');
    transaction.changes += 1;
    this.#rowsTotal += 1;
    return transaction.changes > transaction.skip;
  }

  /**
   * The rows whose stored copies `apply` will need for these updates. Each is laid out as its event says: the table may learn of
   * that definition by an event in between.
   */
  missingCopies(updates: Iterable<readonly [ReplicatedTable, ChangeEvent]>): RowRef[] {
    const refs: RowRef[] = [];
    for (const [table, event] of updates) {
      if (event.kind !== 'update' || !hasOmitted(event.row)) continue;
      const key = rowKey(event.before ?? event.row, event.table.keyColumns);
      refs.push({ tableId: table.id, key });
    }
    return refs;
  }

  /** `stored`: what `missingCopies` asked for, by `copyKey`. */
  apply(
    table: ReplicatedTable,
    event: RowEvent,
    stored: ReadonlyMap<string, Uint8Array | undefined>,
  ): void {
    if (table.isKeyless) {
      if (!table.isInSnapshot(this.commitPosition)) this.#applyKeyless(table, event);
      return;
    }
    if (event.kind === 'delete') {
      this.#delete(table, table.keyOf(event.before));
      return;
    }
    if (event.kind === 'insert') {
      this.#put(table, event.row, false);
      return;
    }
    const row = this.#completed(table, event, stored);
    if (event.before !== undefined) {
      const oldKey = table.keyOf(event.before);
      if (oldKey !== table.keyOf(event.row)) this.#delete(table, oldKey);
    }
    if (row !== undefined) this.#put(table, row, false);
  }

  /** Rows read again because an update left them incomplete. */
  applyReread(table: ReplicatedTable, row: SqliteRow): void {
    this.#put(table, row, false);
  }

  applyChunk(table: ReplicatedTable, chunk: SnapshotChunk): void {
    this.#rowsTotal += chunk.rows.length;
    if (!table.isKeyless) {
      for (const row of chunk.rows) this.#put(table, row, true);
      return;
    }
    for (const row of chunk.rows) this.#addCopy(table, row);
  }

  #applyKeyless(table: ReplicatedTable, event: RowEvent): void {
    if (event.kind !== 'insert') {
      const { before } = event;
      if (before === undefined) return; // an update that changed nothing
      this.push({ kind: 'remove-copy', tableId: table.id, key: table.keyOf(before) });
    }
    if (event.kind === 'delete') return;
    // With replica identity full the old row is complete, so omitted values can come from it.
    const old = event.kind === 'update' ? event.before : undefined;
    this.#addCopy(
      table,
      event.row.map((value, i) => (typeof value === 'symbol' ? (old?.[i] ?? null) : value)),
    );
  }

  #addCopy(table: ReplicatedTable, row: SqliteRow): void {
    this.push({
      kind: 'add-copy',
      tableId: table.id,
      key: table.keyOf(row),
      row: table.evaluate(row),
    });
    this.#raiseNumbers(table, row);
  }

  #put(table: ReplicatedTable, row: SqliteRow, ifAbsent: boolean): void {
    const key = table.keyOf(row);
    const copy = rowCopy(table.source, row);
    if (table.source.mayOmitValues && !ifAbsent) this.#copies.set(copyKey(table.id, key), copy);
    const { id: tableId, evaluate } = table;
    this.#changes.push(new PendingPut({ tableId, key, ifAbsent, copy, evaluate, values: row }));
    this.#weight += 100 + (copy?.byteLength ?? 0) + rowBytes(row);
    this.#raiseNumbers(table, row);
  }

  /** Whatever becomes of the row: a snapshot row raises them too where a newer state is known. */
  #raiseNumbers(table: ReplicatedTable, row: SqliteRow): void {
    for (const number of table.numbersOf(row)) this.push(number);
  }

  #delete(table: ReplicatedTable, key: string): void {
    if (table.source.mayOmitValues) this.#copies.set(copyKey(table.id, key), undefined);
    this.push({ kind: 'delete', tableId: table.id, key, tombstone: !table.snapshotDone });
  }

  #noteIncomplete(table: ReplicatedTable, row: SqliteRow): void {
    const rows = this.#incomplete.get(table);
    if (rows === undefined) this.#incomplete.set(table, [row]);
    else rows.push(row);
  }

  #completed(
    table: ReplicatedTable,
    event: Extract<RowEvent, { kind: 'update' }>,
    stored: ReadonlyMap<string, Uint8Array | undefined>,
  ): SqliteRow | undefined {
    if (!hasOmitted(event.row)) return event.row as SqliteRow;
    const key = copyKey(table.id, table.keyOf(event.before ?? event.row));
    const copy = this.#copies.has(key) ? this.#copies.get(key) : stored.get(key);
    const row = copy === undefined ? undefined : restoreOmitted(table.source, event.row, copy);
    if (row === undefined) this.#noteIncomplete(table, withoutOmitted(event.row));
    return row;
  }
}

export function copyKey(tableId: number, key: string): string {
  return `${tableId}/${key}`;
}

function withoutOmitted(row: readonly unknown[]): SqliteRow {
  return row.map((value) => (typeof value === 'symbol' ? null : (value as SqliteValue)));
}
