import { inWriteTransaction } from '../database/transaction.ts';
import type { SqliteConnection, SqlValue } from '../driver/contract.ts';
import type { IntegerMode } from '../driver/integer-mode.ts';
import { ClientError } from '../errors.ts';
import type { CrudEntry } from './crud-entry.ts';
import { SentEntries } from './sent-entries.ts';
import { parseEntry } from './entry-values.ts';
import { MAX_OP } from './write-gate.ts';

export interface CrudBatch {
  /** Oldest first. */
  readonly crud: readonly CrudEntry[];
  /** Whether more entries wait behind these. */
  readonly haveMore: boolean;
  readonly complete: Complete;
}

export interface CrudTransaction {
  readonly crud: readonly CrudEntry[];
  /** Undefined for an entry that belongs to none, which then stands alone. */
  readonly transactionId: number | undefined;
  readonly complete: Complete;
}

/**
 * Removes these entries and all earlier ones: the backend has them. `writeCheckpoint` is for backends that number
 * their checkpoints themselves (spec/client.md 3.5).
 */
export type Complete = (writeCheckpoint?: bigint | number | string) => void;

/** What is stored of the queue. */
export interface QueueFigures {
  readonly count: number;
  /** Bytes of the stored entries, if asked for. */
  readonly size: number | undefined;
  /** How long the oldest entry has waited; undefined for an empty queue. */
  readonly oldestAgeMs: number | undefined;
  /** Entries that the backend did not take, and that are no longer in the queue. */
  readonly deadLetters: number;
}

const DEFAULT_BATCH = 100;
const COLUMNS = 'SELECT id, tx_id, data FROM sluice_crud';

/**
 * The local writes that wait for the backend, in order (spec/client.md 1.4). Synchronous, on the writer's
 * connection, outside transactions.
 */
export class UploadQueue {
  readonly #connection: SqliteConnection;
  readonly #sent: SentEntries;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    this.#sent = new SentEntries(connection);
  }

  /** The queue id of the oldest entry; undefined for an empty queue. */
  oldest(): number | undefined {
    const [id] = this.#connection.prepare('SELECT min(id) FROM sluice_crud').get() ?? [];
    return typeof id === 'number' ? id : undefined;
  }

  /**
   * Merges entries that were not given out yet, so that fewer are sent: see `coalesced`. Gives how many there are fewer.
   */
  coalesce(): number {
    return this.#sent.coalesce();
  }

  /** The oldest entries, whatever their transactions; undefined if there are none. They are taken for sent. */
  batch(limit = DEFAULT_BATCH, integers?: IntegerMode): CrudBatch | undefined {
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new ClientError('PARAMETER', `A batch has at least one entry, not ${limit}`);
    }
    const rows = this.#connection.prepare(`${COLUMNS} ORDER BY id LIMIT ?`).all([limit + 1]);
    const crud = rows.slice(0, limit).map((row) => entryOf(row, integers));
    const last = crud.at(-1);
    if (last === undefined) return undefined;
    this.#sent.mark(last.clientId);
    return { crud, haveMore: rows.length > limit, complete: this.completeUpTo(last.clientId) };
  }

  /** The oldest transaction; undefined for an empty queue. */
  nextTransaction(): CrudTransaction | undefined {
    return this.transactionAfter(0);
  }

  /** Transactions from the oldest on, without removing them: completing one completes all before it. */
  *transactions(): IterableIterator<CrudTransaction> {
    let last = 0;
    for (;;) {
      const transaction = this.transactionAfter(last);
      if (transaction === undefined) return;
      last = transaction.crud.at(-1)?.clientId ?? last;
      yield transaction;
    }
  }

  /** The transaction that follows the entry of the given queue id; it is taken for sent. */
  transactionAfter(clientId: number, integers?: IntegerMode): CrudTransaction | undefined {
    const crud: CrudEntry[] = [];
    const rows = this.#connection.prepare(`${COLUMNS} WHERE id > ? ORDER BY id`);
    for (const row of rows.iterate([clientId])) {
      const first = crud[0];
      const sameTransaction = first === undefined || first.transactionId === transactionOf(row);
      if (!sameTransaction) break;
      crud.push(entryOf(row, integers));
      if (transactionOf(row) === undefined) break;
    }
    const last = crud.at(-1);
    if (last === undefined) return undefined;
    this.#sent.mark(last.clientId);
    const complete = this.completeUpTo(last.clientId);
    return { crud, transactionId: last.transactionId, complete };
  }

  /** The entries that are still there of those from one queue id to another, both included. */
  between(firstId: number, lastId: number): readonly CrudEntry[] {
    const rows = this.#connection.prepare(`${COLUMNS} WHERE id BETWEEN ? AND ? ORDER BY id`);
    return rows.all([firstId, lastId]).map((row) => entryOf(row));
  }

  /** Reads every entry if `withSize`. */
  stats(now: number, withSize = false): QueueFigures {
    const size = withSize ? 'coalesce(sum(octet_length(data)), 0)' : 'NULL';
    const oldestAt = '(SELECT created_at FROM sluice_crud ORDER BY id LIMIT 1)';
    const sql = `SELECT count(*), ${size}, ${oldestAt}, (SELECT count(*) FROM sluice_dead) FROM sluice_crud`;
    const [count, bytes, oldest, dead] = this.#connection.prepare(sql).get() ?? [];
    return {
      count: Number(count),
      size: withSize ? Number(bytes) : undefined,
      oldestAgeMs: oldest === null ? undefined : Math.max(0, now - Number(oldest)),
      deadLetters: Number(dead),
    };
  }

  /** For whoever kept no more than the queue id of the last entry. */
  completeUpTo(lastId: number): Complete {
    return (writeCheckpoint) =>
      complete(
        this.#connection,
        lastId,
        writeCheckpoint === undefined ? undefined : checkpointNumber(writeCheckpoint),
      );
  }
}

/**
 * Without a number, the gate waits for one that the service gives (MAX_OP). With one, it becomes the target
 * if the queue is now empty; else later entries will bring theirs. Entries that were completed before change nothing.
 */
function complete(
  connection: SqliteConnection,
  lastId: number,
  writeCheckpoint: bigint | undefined,
): void {
  inWriteTransaction(connection, () => {
    const removed = connection.prepare('DELETE FROM sluice_crud WHERE id <= ?').run([lastId]);
    if (removed.changes === 0) return;
    const empty = connection.prepare('SELECT 1 FROM sluice_crud LIMIT 1').get() === undefined;
    if (writeCheckpoint !== undefined && !empty) return;
    connection
      .prepare(`UPDATE sluice_kv SET value = ? WHERE key = 'target'`)
      .run([writeCheckpoint ?? MAX_OP]);
  });
}

function checkpointNumber(value: bigint | number | string): bigint {
  const text = String(value);
  const number = /^\d{1,19}$/.test(text) ? BigInt(text) : -1n;
  if (number >= 0n && number < MAX_OP) return number;
  throw new ClientError('PARAMETER', 'A write checkpoint is a whole number of at most 63 bits');
}

function transactionOf(row: readonly SqlValue[]): number | undefined {
  return row[1] === null || row[1] === undefined ? undefined : Number(row[1]);
}

function entryOf(row: readonly SqlValue[], integers?: IntegerMode): CrudEntry {
  const [id, , data] = row;
  return parseEntry(
    { id: Number(id), transactionId: transactionOf(row), data: String(data) },
    integers,
  );
}
