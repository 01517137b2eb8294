import { SourceError } from '@sluice/base';
import {
  matchesPattern,
  type SourcePosition,
  type SqliteRow,
  type TablePattern,
} from '@sluice/model';
import {
  rowKey,
  type ChangeEvent,
  type ChangeSource,
  type LogRetention,
  type QueryResult,
  type PeekedRows,
  type PeekRows,
  type ReplicationOptions,
  type SnapshotChunk,
  type SourceCheck,
  type SourceReplication,
  type SourceTable,
  type StreamOptions,
  type TableFacts,
  type TableSnapshot,
} from '@sluice/source';
import type { SeededRandom } from '../seeded-random.ts';
import {
  formatPosition,
  type LoggedTransaction,
  type SimulatedDatabase,
} from './simulated-database.ts';

export interface SimulationOptions {
  /** Decides how events are cut into batches and how long reads take. */
  readonly random: SeededRandom;
  readonly chunkRows: number;
}

/** A `ChangeSource` over a `SimulatedDatabase`, with random delays between all steps. */
export class SimulatedSource implements ChangeSource {
  readonly defaultSchema = 'public';
  readonly #database: SimulatedDatabase;
  readonly #options: SimulationOptions;
  readonly #handles = new Map<string, SourcePosition>();
  /** Rows read by snapshots, by name of table. */
  readonly rowsRead = new Map<string, number>();
  /** Makes reading a table fail, with what this gives. */
  failSnapshot: (table: SourceTable) => Error | undefined = () => undefined;
  #nextHandle = 1;

  constructor(database: SimulatedDatabase, options: SimulationOptions) {
    this.#database = database;
    this.#options = options;
  }

  check(): Promise<readonly SourceCheck[]> {
    return Promise.resolve([]);
  }
  readSchema(): Promise<readonly SourceTable[]> {
    return Promise.resolve(this.#database.tables);
  }
  describeTables(patterns: readonly TablePattern[]): Promise<readonly TableFacts[]> {
    const tables = this.#database.tables.filter((table) =>
      patterns.some((pattern) => matchesPattern(pattern, table)),
    );
    return Promise.resolve(
      tables.map((table) => ({
        schema: table.schema,
        name: table.name,
        identityColumns: table.keyColumns.flatMap((index) => table.columns[index]?.name ?? []),
        estimatedRows: this.#database.rows(table.name).length,
        problems: [],
      })),
    );
  }
  logRetention(handle: string): Promise<LogRetention | undefined> {
    const retention = { status: 'reserved', remainingBytes: undefined, limitBytes: undefined };
    return Promise.resolve(this.#handles.has(handle) ? retention : undefined);
  }
  runQuery(): Promise<QueryResult> {
    return Promise.reject(
      new SourceError('SOURCE_QUERY_FAILED', 'The simulated database knows no SQL'),
    );
  }
  peekRows({ schema, name, where, limit }: PeekRows): Promise<PeekedRows | undefined> {
    const table = this.#database.tables.find((one) => one.schema === schema && one.name === name);
    if (table === undefined) return Promise.resolve(undefined);
    const matching = this.#database.rows(name).filter((row) =>
      table.columns.every(({ name: column }, i) => {
        const wanted = where?.get(column);
        return wanted === undefined || wanted === String(row[i]);
      }),
    );
    const rows = matching.slice(0, limit);
    const hasMore = rows.length < matching.length;
    return Promise.resolve({ table, isReplicated: true, rows, hasMore });
  }
  head(): Promise<SourcePosition> {
    return Promise.resolve(this.#database.head);
  }
  mark(): Promise<void> {
    this.#database.mark();
    return Promise.resolve();
  }

  async openReplication(options: ReplicationOptions): Promise<SourceReplication> {
    const handle = options.handle ?? `handle_${this.#nextHandle++}`;
    if (options.handle === undefined) await options.recordHandle?.(handle);
    const known = this.#handles.get(handle);
    if (options.handle !== undefined && known === undefined) {
      throw new SourceError('SOURCE_SLOT_LOST', `No handle ${handle}`);
    }
    const start = known ?? this.#database.head;
    this.#handles.set(handle, start);
    return new SimulatedReplication(this.#database, this.#options, handle, start, {
      acknowledged: (position) => this.#handles.set(handle, position),
      snapshot: (table) => {
        const failure = this.failSnapshot(table);
        if (failure !== undefined) throw failure;
      },
      read: (table, rows) =>
        this.rowsRead.set(table.name, (this.rowsRead.get(table.name) ?? 0) + rows),
    });
  }

  /** As if an operator dropped the slot. */
  loseAllHandles(): void {
    this.#handles.clear();
  }

  dropReplication(handle: string): Promise<void> {
    this.#handles.delete(handle);
    return Promise.resolve();
  }
  listReplications(): Promise<readonly string[]> {
    return Promise.resolve([...this.#handles.keys()]);
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

interface SimulationHooks {
  readonly acknowledged: (position: SourcePosition) => void;
  readonly snapshot: (table: SourceTable) => void;
  readonly read: (table: SourceTable, rows: number) => void;
}

class SimulatedReplication implements SourceReplication {
  readonly handle: string;
  readonly startPosition: SourcePosition;
  readonly #database: SimulatedDatabase;
  readonly #options: SimulationOptions;
  readonly #hooks: SimulationHooks;
  #acknowledged: SourcePosition;

  constructor(
    database: SimulatedDatabase,
    options: SimulationOptions,
    handle: string,
    start: SourcePosition,
    hooks: SimulationHooks,
  ) {
    this.#database = database;
    this.#options = options;
    this.handle = handle;
    this.startPosition = start;
    this.#acknowledged = start;
    this.#hooks = hooks;
  }

  listTables(patterns: Parameters<SourceReplication['listTables']>[0]): Promise<SourceTable[]> {
    return Promise.resolve(
      this.#database.tables.filter((table) => patterns.some((p) => matchesPattern(p, table))),
    );
  }

  async *stream(options: StreamOptions): AsyncGenerator<readonly ChangeEvent[]> {
    const { signal } = options;
    let position = options.after > this.#acknowledged ? options.after : this.#acknowledged;
    const described = new Map<SourceTable, boolean>();
    while (!signal.aborted) {
      for (const transaction of this.#database.transactionsAfter(position)) {
        for (const batch of this.#cut(eventsOf(transaction, described, options.isWanted))) {
          await this.#pause();
          if (signal.aborted) return;
          yield batch;
        }
        ({ position } = transaction);
      }
      const { head } = this.#database;
      if (this.#database.transactionsAfter(position).length > 0) continue;
      position = head;
      yield [{ kind: 'idle', position, marked: true }];
      await this.#database.changed(position, signal);
    }
  }

  snapshot(
    table: SourceTable,
    options: { readonly progress: string | undefined },
  ): Promise<TableSnapshot> {
    try {
      this.#assertUnchanged(table);
      this.#hooks.snapshot(table);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    if (table.keyColumns.length > 0) {
      return Promise.resolve({
        exactAt: undefined,
        estimatedRows: undefined,
        chunks: this.#chunksByKey(table, options.progress),
      });
    }
    // Transactions before this position are in the rows, later ones are not.
    const exactAt = formatPosition(Number.parseInt(this.#database.head, 16) + 1);
    const rows = [...this.#database.rows(table.name)];
    return Promise.resolve({
      exactAt,
      estimatedRows: undefined,
      chunks: this.#fixed(table, rows, exactAt),
    });
  }

  async *#chunksByKey(
    table: SourceTable,
    progress: string | undefined,
  ): AsyncGenerator<SnapshotChunk> {
    let after = progress ?? '';
    for (;;) {
      await this.#pause();
      const keyOf = (row: SqliteRow): string => rowKey(row, table.keyColumns);
      this.#assertUnchanged(table);
      const rows = this.#database
        .rows(table.name)
        .filter((row) => keyOf(row) > after)
        .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
        .slice(0, this.#options.chunkRows);
      const last = rows.at(-1);
      if (last === undefined) return;
      after = keyOf(last);
      this.#hooks.read(table, rows.length);
      const position = this.#database.head;
      await this.#pause();
      yield { rows, progress: after, position };
    }
  }

  #assertUnchanged(table: SourceTable): void {
    if (this.#database.tables.includes(table)) return;
    throw new SourceError('SOURCE_TABLE_CHANGED', `${table.name} is not what it was`);
  }

  async *#fixed(
    table: SourceTable,
    rows: readonly SqliteRow[],
    exactAt: SourcePosition,
  ): AsyncGenerator<SnapshotChunk> {
    for (let at = 0; at < rows.length; at += this.#options.chunkRows) {
      await this.#pause();
      const chunk = rows.slice(at, at + this.#options.chunkRows);
      this.#hooks.read(table, chunk.length);
      yield { rows: chunk, progress: undefined, position: exactAt };
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- so that what it throws is a rejection
  async readRows(
    table: SourceTable,
    keys: readonly SqliteRow[],
  ): Promise<{ rows: SqliteRow[]; position: SourcePosition }> {
    this.#assertUnchanged(table);
    const wanted = new Set(keys.map((row) => rowKey(row, table.keyColumns)));
    const rows = this.#database
      .rows(table.name)
      .filter((row) => wanted.has(rowKey(row, table.keyColumns)));
    return { rows, position: this.#database.head };
  }

  acknowledge(position: SourcePosition): void {
    if (position <= this.#acknowledged) return;
    this.#acknowledged = position;
    this.#hooks.acknowledged(position);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  *#cut(events: readonly ChangeEvent[]): Generator<readonly ChangeEvent[]> {
    for (let at = 0; at < events.length;) {
      const size = 1 + Math.floor(this.#options.random.next() * 5);
      yield events.slice(at, at + size);
      at += size;
    }
  }

  /** Gives way to others a random number of times. */
  async #pause(): Promise<void> {
    const turns = Math.floor(this.#options.random.next() * 4);
    for (let turn = 0; turn < turns; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function eventsOf(
  transaction: LoggedTransaction,
  /** Whether they are wanted, which is asked once. */
  described: Map<SourceTable, boolean>,
  isWanted: StreamOptions['isWanted'],
): ChangeEvent[] {
  const { transactionId, commitPosition, position } = transaction;
  const events: ChangeEvent[] = [{ kind: 'begin', transactionId, commitPosition }];
  for (const event of transaction.events) {
    if (!('table' in event) && event.kind !== 'truncate') continue;
    for (const table of 'table' in event ? [event.table] : event.tables) {
      if (described.has(table)) continue;
      const wasWanted = [...described].some(
        ([other, wanted]) => wanted && other.relationId === table.relationId,
      );
      described.set(table, isWanted(table));
      if (wasWanted || described.get(table) === true) events.push({ kind: 'table', table });
    }
    if (!('table' in event)) {
      const tables = event.tables.filter((table) => described.get(table));
      if (tables.length > 0) events.push({ ...event, tables });
    } else if (described.get(event.table) === true) events.push(event);
  }
  events.push({ kind: 'commit', position, committedAtMs: 0 });
  return events;
}
