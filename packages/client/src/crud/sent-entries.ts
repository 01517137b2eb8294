import { inWriteTransaction } from '../database/transaction.ts';
import type { SqliteConnection } from '../driver/contract.ts';
import { coalesced, type StoredEntry } from './coalesce.ts';

/** More than any batch has, and little enough to be merged at once. */
const WINDOW = 1000;

/**
 * Up to which queue id entries were given out to be sent (`sent` in `sluice_kv`): the backend may know them, whatever became of the answer. So
 * they stay as they are, and are sent again as they were; only later ones are merged.
 */
export class SentEntries {
  readonly #connection: SqliteConnection;
  /** The number that is stored, once it is known; other processes only raise it. */
  #known: number | undefined;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  /** To be called before they are sent. */
  mark(lastId: number): void {
    if (lastId <= (this.#known ?? this.#stored())) return;
    this.#connection
      .prepare(`UPDATE sluice_kv SET value = max(value, ?) WHERE key = 'sent'`)
      .run([lastId]);
    this.#known = lastId;
  }

  /** Merges entries that nobody has sent, from the oldest on. Gives how many there are fewer. */
  coalesce(): number {
    return inWriteTransaction(this.#connection, () => {
      const entries = this.#unsent();
      const kept = new Map(coalesced(entries).map((entry) => [entry.id, entry.data]));
      for (const { id, data } of entries) {
        const now = kept.get(id);
        if (now === undefined) {
          this.#connection.prepare('DELETE FROM sluice_crud WHERE id = ?').run([id]);
        } else if (now !== data) {
          this.#connection.prepare('UPDATE sluice_crud SET data = ? WHERE id = ?').run([now, id]);
        }
      }
      return entries.length - kept.size;
    });
  }

  /** Without a transaction that may not be all there. */
  #unsent(): readonly StoredEntry[] {
    const rows = this.#connection
      .prepare('SELECT id, tx_id, data FROM sluice_crud WHERE id > ? ORDER BY id LIMIT ?')
      .all([this.#stored(), WINDOW]);
    const entries = rows.map(([id, transactionId, data]) => ({
      id: Number(id),
      transactionId: typeof transactionId === 'number' ? transactionId : null,
      data: String(data),
    }));
    if (entries.length < WINDOW) return entries;
    const last = entries.at(-1)?.transactionId;
    return entries.filter(({ transactionId }) => transactionId === null || transactionId !== last);
  }

  #stored(): number {
    const read = this.#connection.prepare(`SELECT value FROM sluice_kv WHERE key = 'sent'`);
    const row = read.get();
    if (row === undefined) {
      // An earlier version has made the database, and may have sent all that is there.
      this.#connection.exec(
        `INSERT INTO sluice_kv SELECT 'sent', coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'sluice_crud'), 0)`,
      );
    }
    this.#known = Number((row ?? read.get())?.[0]);
    return this.#known;
  }
}
