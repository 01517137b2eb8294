import type { SqliteConnection } from '../driver/contract.ts';
import { formatPlain, parsePlain } from './plain-text.ts';

/** A call that writes, by the app (its channels come and go) and a number that grows with each of its calls. */
export interface RecordedCall {
  readonly app: string;
  readonly number: number;
  /** The app has the answers of all its calls below this. */
  readonly answeredBelow: number;
}

const LAYOUT = `CREATE TABLE IF NOT EXISTS sluice_call (
  app TEXT NOT NULL, number INTEGER NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (app, number)) WITHOUT ROWID`;

/** An app that has not come back by then is gone. */
const KEPT_MS = 24 * 3_600_000;

/** Makes the table if it is not there. */
export function createCallLayout(connection: SqliteConnection): void {
  connection.exec(LAYOUT);
}

/**
 * The answers of calls that wrote, each kept in the transaction of its writes until the app says that it has the answer: an app whose host
 * went away before it answered asks the next one, and nothing is done twice. On the writer's connection.
 */
export class CallRecords {
  readonly #connection: SqliteConnection;
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(connection: SqliteConnection, now: () => number) {
    this.#connection = connection;
    this.#now = now;
  }

  find(call: RecordedCall): { readonly answer: unknown } | undefined {
    const sql = 'SELECT answer FROM sluice_call WHERE app = ? AND number = ?';
    const row = this.#connection.prepare(sql).get([call.app, call.number]);
    return row === undefined ? undefined : { answer: parsePlain(String(row[0])) };
  }

  /**
   * Inside the transaction that the call is. `answer`: plain data.
   *
   * @throws SqlError if it was done before, so that the transaction is rolled back
   */
  note({ app, number, answeredBelow }: RecordedCall, answer: unknown): void {
    this.#connection
      .prepare('DELETE FROM sluice_call WHERE app = ? AND number < ?')
      .run([app, answeredBelow]);
    this.#connection
      .prepare('INSERT INTO sluice_call (app, number, answer, at) VALUES (?, ?, ?, ?)')
      .run([app, number, formatPlain(answer), this.#now()]);
  }

  /** Of an app that ended in order, and of those that never came back. */
  forget(app: string): void {
    this.#connection
      .prepare('DELETE FROM sluice_call WHERE app = ? OR at < ?')
      .run([app, this.#now() - KEPT_MS]);
  }
}
