import { must } from '@sluice/base';
import type { SourcePosition, SqliteRow } from '@sluice/model';
import { rowKey, type ChangeEvent, type SourceTable } from '@sluice/source';

/**
 * A database in memory with a change log, as plain as possible: the truth that replication is
 * compared with. Rows are kept per table in insertion order; every table's first column is its key
 * unless it was created without one.
 */
export class SimulatedDatabase {
  readonly #tables = new Map<string, { table: SourceTable; rows: SqliteRow[] }>();
  readonly #log: LoggedTransaction[] = [];
  #waiting: (() => void)[] = [];
  #nextRelation = 1;
  #position = 0;
  #transactions = 0;

  /** The newest position. */
  get head(): SourcePosition {
    return formatPosition(this.#position);
  }

  get tables(): readonly SourceTable[] {
    return [...this.#tables.values()].map(({ table }) => table);
  }

  rows(name: string): readonly SqliteRow[] {
    return must(this.#tables.get(name), `table ${name}`).rows;
  }

  createTable(name: string, columns: readonly string[], keyless = false): SourceTable {
    const table: SourceTable = {
      schema: 'public',
      name,
      columns: columns.map((column) => ({ name: column, sqliteType: 'text', sourceType: 'text' })),
      relationId: String(this.#nextRelation++),
      keyColumns: keyless ? [] : [0],
      identity: keyless ? 'full' : 'default',
      mayOmitValues: false,
    };
    this.#tables.set(name, { table, rows: [] });
    return table;
  }

  /** The relation and its rows stay what they are; no entry in the log tells of it. */
  renameTable(name: string, to: string): void {
    const { table, rows } = must(this.#tables.get(name), `table ${name}`);
    this.#tables.delete(name);
    this.#tables.set(to, { table: { ...table, name: to }, rows });
    this.#position += 1;
    this.#wake();
  }

  dropTable(name: string): void {
    this.#tables.delete(name);
    this.#position += 1;
  }

  /** Runs changes as one transaction. */
  transaction(change: (writer: TransactionWriter) => void): void {
    const events: ChangeEvent[] = [];
    change(new TransactionWriter(this.#tables, events));
    this.#position += 1;
    const commitPosition = this.head;
    this.#position += 1;
    this.#transactions += 1;
    this.#log.push({
      commitPosition,
      position: this.head,
      transactionId: String(this.#transactions),
      events,
    });
    this.#wake();
  }

  /** An entry in the log that changes nothing. */
  mark(): void {
    this.#position += 1;
    this.#wake();
  }

  transactionsAfter(position: SourcePosition): readonly LoggedTransaction[] {
    return this.#log.filter((transaction) => transaction.position > position);
  }

  /** Resolves when something happened after `position`, or the signal aborts. */
  async changed(position: SourcePosition, signal: AbortSignal): Promise<void> {
    if (this.head > position || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => resolve();
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

export interface LoggedTransaction {
  readonly commitPosition: SourcePosition;
  /** End of the transaction. */
  readonly position: SourcePosition;
  readonly transactionId: string;
  readonly events: readonly ChangeEvent[];
}

export class TransactionWriter {
  readonly #tables: ReadonlyMap<string, { table: SourceTable; rows: SqliteRow[] }>;
  readonly #events: ChangeEvent[];

  constructor(
    tables: ReadonlyMap<string, { table: SourceTable; rows: SqliteRow[] }>,
    events: ChangeEvent[],
  ) {
    this.#tables = tables;
    this.#events = events;
  }

  insert(name: string, row: SqliteRow): void {
    const { table, rows } = this.#table(name);
    rows.push(row);
    this.#events.push({ kind: 'insert', table, row });
  }

  update(name: string, index: number, row: SqliteRow): void {
    const { table, rows } = this.#table(name);
    const old = must(rows[index], 'the row to update');
    const keyChanged = keyText(table, old) !== keyText(table, row);
    rows[index] = row;
    const before = keyChanged || table.identity === 'full' ? old : undefined;
    this.#events.push({ kind: 'update', table, before, row });
  }

  delete(name: string, index: number): void {
    const { table, rows } = this.#table(name);
    const [before] = rows.splice(index, 1);
    this.#events.push({ kind: 'delete', table, before: must(before, 'the row to delete') });
  }

  truncate(name: string): void {
    const { table, rows } = this.#table(name);
    rows.length = 0;
    this.#events.push({ kind: 'truncate', tables: [table] });
  }

  #table(name: string): { table: SourceTable; rows: SqliteRow[] } {
    return must(this.#tables.get(name), `table ${name}`);
  }
}

export function formatPosition(position: number): SourcePosition {
  return position.toString(16).padStart(16, '0');
}

function keyText(table: SourceTable, row: SqliteRow): string {
  return rowKey(row, table.keyColumns);
}
