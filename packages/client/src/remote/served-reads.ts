import type { ReadStatements } from '../facade/statements.ts';
import type { Handlers } from './peer.ts';
import type { ReadMethods } from './protocol.ts';
import type { ReadAccess } from './read-access.ts';
import { rolledBack } from './served-transactions.ts';

interface Open {
  readonly statements: ReadStatements;
  readonly end: () => void;
  readonly finished: Promise<void>;
}

/** The reading of one app: queries, and transactions that stay open until it ends them. */
export class ServedReads {
  readonly handlers: Handlers<ReadMethods>;
  readonly #access: Omit<ReadAccess, 'close'>;
  readonly #open = new Map<number, Open>();
  #isOver = false;

  constructor(access: Omit<ReadAccess, 'close'>) {
    this.#access = access;
    this.handlers = {
      select: ([sql, parameters, integers]) => access.select(sql, parameters, { integers }),
      analyse: ([sql]) => access.analyse(sql),
      readBegin: ([id, timeoutMs]) => this.#begin(id, timeoutMs),
      readSelect: async ([id, sql, parameters, integers]) => {
        const open = this.#open.get(id);
        if (open === undefined) throw rolledBack();
        return open.statements.select(sql, parameters, { integers });
      },
      readEnd: async ([id]) => {
        const open = this.#open.get(id);
        open?.end();
        await open?.finished;
      },
    };
  }

  /** The app is gone: what is open ends, what waits does not begin. */
  close(): void {
    this.#isOver = true;
    for (const { end } of this.#open.values()) end();
  }

  #begin(id: number, timeoutMs: number | undefined): Promise<void> {
    return new Promise((begun, refused) => {
      const finished = this.#access.readTransaction((statements) => {
        if (this.#isOver) return Promise.resolve();
        return new Promise<void>((end) => {
          this.#open.set(id, { statements, end, finished: Promise.resolve().then(() => finished) });
          begun();
        });
      }, timeoutMs);
      finished.then(() => this.#open.delete(id), refused);
    });
  }
}
