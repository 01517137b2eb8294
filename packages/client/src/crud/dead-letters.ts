import { inWriteTransaction } from '../database/transaction.ts';
import type { SqliteConnection, SqlValue } from '../driver/contract.ts';
import type { IntegerMode } from '../driver/integer-mode.ts';
import { ClientError } from '../errors.ts';
import type { CrudEntry } from './crud-entry.ts';
import { parseEntry } from './entry-values.ts';
import { settleOutcomes, type EntryOutcome, type Settlement } from './outcomes.ts';
import { MAX_OP } from './write-gate.ts';

/** An entry that is out of the queue without having reached the backend. */
export interface DeadLetter {
  readonly entry: CrudEntry;
  /** `rejected`: the backend will not have it, and the server's row comes back. `parked`: set aside by the connector. */
  readonly state: 'rejected' | 'parked';
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const ENTRY = 'id, tx_id, data';

/** Rejected letters that nobody looks at do not fill the device; parked ones are the app's, and stay. */
const MAX_REJECTED = 1000;

/**
 * What the backend made of single entries (spec/client.md 3, upload engine), and those it did not take: visible to
 * the app, which may queue them again. Synchronous, on the writer's connection, outside transactions.
 */
export class DeadLetters {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  /**
   * Takes the outcomes of entries that were sent: done ones leave the queue, rejected and parked ones become dead letters together
   * with later writes to the same rows, the rest waits. Once the queue is empty, the gate opens as after `complete`,
   * and publishing puts the server's rows back. Of rejected ones the newest 1,000 are kept.
   */
  settle(
    crud: readonly CrudEntry[],
    outcomes: ReadonlyMap<number, EntryOutcome>,
    now: number,
  ): Settlement {
    return inWriteTransaction(this.#connection, () => {
      const settlement = settleOutcomes(crud, outcomes);
      for (const { entry, state, reason } of settlement.dead) {
        this.#bury(entry, state, reason, now);
      }
      if (settlement.dead.length > 0) this.#dropOldest();
      for (const { clientId } of settlement.done) this.#remove(clientId);
      if (settlement.done.length + settlement.dead.length > 0) this.#awaitCheckpoint();
      return settlement;
    });
  }

  /** Oldest first. */
  list(): readonly DeadLetter[] {
    return this.#connection
      .prepare(`SELECT ${ENTRY}, state, reason, at FROM sluice_dead ORDER BY id`)
      .all()
      .map((row) => deadLetterOf(row));
  }

  /**
   * Puts entries at the end of the queue again, oldest first, each as a transaction of its own with a new queue id: all of them, or none.
   * The app's tables are not changed by this; they follow when the backend has taken the entries.
   *
   * @throws ClientError `DEAD_LETTER`
   */
  requeue(clientIds: readonly number[], now: number, beforeCommit = NOTHING): void {
    inWriteTransaction(this.#connection, () => {
      for (const clientId of inOrder(clientIds)) {
        const row = this.#connection
          .prepare('SELECT data FROM sluice_dead WHERE id = ?')
          .get([clientId]);
        if (row === undefined) throw unknownLetter(clientId);
        this.#connection
          .prepare('INSERT INTO sluice_crud (tx_id, data, created_at) VALUES (NULL, ?, ?)')
          .run([row[0] ?? null, now]);
        this.#delete(clientId);
      }
      if (clientIds.length > 0) this.#awaitCheckpoint();
      beforeCommit();
    });
  }

  /**
   * Forgets them: all, or none.
   *
   * @throws ClientError `DEAD_LETTER`
   */
  discard(clientIds: readonly number[], beforeCommit = NOTHING): void {
    inWriteTransaction(this.#connection, () => {
      for (const clientId of inOrder(clientIds)) this.#delete(clientId);
      beforeCommit();
    });
  }

  #delete(clientId: number): void {
    const { changes } = this.#connection
      .prepare('DELETE FROM sluice_dead WHERE id = ?')
      .run([clientId]);
    if (changes === 0) throw unknownLetter(clientId);
  }

  #bury(entry: CrudEntry, state: string, reason: string, now: number): void {
    const sql = `INSERT INTO sluice_dead (${ENTRY}, state, reason, at)
      SELECT ${ENTRY}, ?, ?, ? FROM sluice_crud WHERE id = ?`;
    this.#connection.prepare(sql).run([state, reason, now, entry.clientId]);
    this.#remove(entry.clientId);
  }

  #dropOldest(): void {
    this.#connection
      .prepare(
        `DELETE FROM sluice_dead WHERE state = 'rejected' AND id <=
          (SELECT id FROM sluice_dead WHERE state = 'rejected' ORDER BY id DESC LIMIT 1 OFFSET ?)`,
      )
      .run([MAX_REJECTED]);
  }

  #remove(clientId: number): void {
    this.#connection.prepare('DELETE FROM sluice_crud WHERE id = ?').run([clientId]);
  }

  #awaitCheckpoint(): void {
    this.#connection.prepare(`UPDATE sluice_kv SET value = ? WHERE key = 'target'`).run([MAX_OP]);
  }
}

const NOTHING = (): void => undefined;

/** Each once, oldest first. */
function inOrder(clientIds: readonly number[]): readonly number[] {
  return [...new Set(clientIds)].toSorted((a, b) => a - b);
}

/** From id, tx_id, data, state, reason and at, as `sluice_dead` has them. */
export function deadLetterOf(row: readonly SqlValue[], integers?: IntegerMode): DeadLetter {
  const [id, transactionId, data, state, reason, at] = row;
  return {
    entry: parseEntry(
      {
        id: Number(id),
        transactionId:
          transactionId === null || transactionId === undefined ? undefined : Number(transactionId),
        data: String(data),
      },
      integers,
    ),
    state: state === 'parked' ? 'parked' : 'rejected',
    reason: String(reason),
    at: Number(at),
  };
}

function unknownLetter(clientId: number): ClientError {
  return new ClientError('DEAD_LETTER', `There is no dead letter with the queue id ${clientId}`);
}
