import { DatabaseClosedError, ClientError } from '../errors.ts';
import type { DatabaseEngine } from '../facade/database-engine.ts';
import type { WriterStatements } from '../facade/writer-statements.ts';

interface Open {
  readonly statements: WriterStatements;
  /** Lets the turn end, with what was not committed undone. */
  readonly end: () => void;
  /** The turn has ended, and what was committed is told. */
  readonly finished: Promise<void>;
}

/** The writing transactions of one app: one is open, others wait for their turns. */
export class ServedTransactions {
  readonly #engine: DatabaseEngine;
  readonly #open = new Map<number, Open>();
  #isOver = false;

  constructor(engine: DatabaseEngine) {
    this.#engine = engine;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Resolves when its turn has come. */
  begin(id: number, timeoutMs: number | undefined): Promise<void> {
    return new Promise((begun, refused) => {
      const finished = this.#engine.writeTransaction((statements) => {
        if (this.#isOver) return Promise.reject(new DatabaseClosedError());
        return new Promise<void>((end) => {
          this.#open.set(id, { statements, end, finished: Promise.resolve().then(() => finished) });
          begun();
        });
      }, timeoutMs);
      finished.then(() => this.#open.delete(id), refused);
    });
  }

  /** @throws ClientError `ROLLED_BACK` for one that is not open: its host went away, or it said nothing for too long */
  statements(id: number): WriterStatements {
    return this.#required(id).statements;
  }

  /** Resolves when everybody was told. `beforeCommit` is the last thing of the transaction. */
  async commit(id: number, beforeCommit: () => void): Promise<void> {
    const { statements, end, finished } = this.#required(id);
    try {
      statements.commit(beforeCommit);
    } finally {
      this.#open.delete(id);
      end();
    }
    await finished;
  }

  /** Also of one that is rolled back already. */
  async rollback(id: number): Promise<void> {
    const open = this.#open.get(id);
    this.#open.delete(id);
    open?.end();
    await open?.finished;
  }

  /** What is open is undone, and may be tried again by the app. */
  rollbackAll(): void {
    for (const { end } of this.#open.values()) end();
    this.#open.clear();
  }

  /** The app is gone: what waits does not begin. */
  close(): void {
    this.#isOver = true;
    this.rollbackAll();
  }

  #required(id: number): Open {
    const open = this.#open.get(id);
    if (open === undefined) throw rolledBack();
    return open;
  }
}

export function rolledBack(): ClientError {
  return new ClientError(
    'ROLLED_BACK',
    'The transaction was rolled back, as whoever ran it went away or waited too long for its next statement: try it again',
  );
}
