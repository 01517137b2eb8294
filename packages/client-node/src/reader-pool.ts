import {
  ClientError,
  DatabaseClosedError,
  ReaderLink,
  type RawRows,
  type ReadAccess,
  type ReadStatements,
  type SelectOptions,
  type StatementReads,
} from '@sluice/client';
import type { DatabaseThread } from './database-thread.ts';

export interface ReaderPoolOptions {
  /** At least one. */
  readonly maxReaders: number;
  readonly start: () => DatabaseThread;
  /** One of the threads died. */
  readonly onLost: (cause: unknown) => void;
  readonly onProblem: (problem: unknown) => void;
}

interface Reader {
  readonly link: ReaderLink;
  readonly exited: Promise<unknown>;
}

interface Waiter {
  readonly begin: (reader: Reader) => void;
  readonly refuse: (reason: Error) => void;
}

/** How long `close` waits for readers that are in the middle of a query. */
const CLOSE_TIMEOUT_MS = 1_000;
/** How long a read waits for those before it (spec/client.md 1.2). */
const TURN_TIMEOUT_MS = 120_000;

/**
 * Connections that only read, each on a thread of its own, started when they are needed. A reader has one query or one transaction at a
 * time; callers get the next free one in the order in which they came.
 */
export class ReaderPool implements ReadAccess {
  readonly #options: ReaderPoolOptions;
  readonly #readers: Reader[] = [];
  readonly #idle: Reader[] = [];
  readonly #waiting = new Set<Waiter>();
  #isClosed = false;

  constructor(options: ReaderPoolOptions) {
    this.#options = options;
    // The first one starts while the database is being opened.
    this.#idle.push(this.#start());
  }

  /** How many threads were started. */
  get size(): number {
    return this.#readers.length;
  }

  select(sql: string, parameters: readonly unknown[], options?: SelectOptions): Promise<RawRows> {
    return this.#with(({ link }) => link.select(sql, parameters, options));
  }

  analyse(sql: string): Promise<StatementReads> {
    return this.#with(({ link }) => link.analyse(sql));
  }

  readTransaction<T>(
    body: (statements: ReadStatements) => Promise<T>,
    timeoutMs = TURN_TIMEOUT_MS,
  ): Promise<T> {
    return this.#with(({ link }) => link.readTransaction(body), timeoutMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { refuse } of this.#waiting) refuse(new DatabaseClosedError());
    this.#waiting.clear();
    for (const { link } of this.#readers) link.close();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)));
    await Promise.race([Promise.all(this.#readers.map(({ exited }) => exited)), late]);
    clearTimeout(timer);
  }

  async #with<T>(body: (reader: Reader) => Promise<T>, timeoutMs = TURN_TIMEOUT_MS): Promise<T> {
    if (this.#isClosed) throw new DatabaseClosedError();
    const reader = this.#idle.pop() ?? (await this.#next(timeoutMs));
    try {
      return await body(reader);
    } finally {
      this.#release(reader);
    }
  }

  /** Whoever waits has the one that is ready first: a new thread takes longer to begin than most queries take. */
  async #grow(): Promise<void> {
    const reader = this.#start();
    try {
      await reader.link.select('SELECT 1', []);
    } catch (error) {
      if (!this.#isClosed) this.#options.onProblem(error);
    }
    this.#release(reader);
  }

  #next(timeoutMs: number): Promise<Reader> {
    if (this.#readers.length < this.#options.maxReaders) void this.#grow();
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter = {
        begin: (reader) => {
          settle();
          resolve(reader);
        },
        refuse: (reason) => {
          settle();
          reject(reason);
        },
      };
      const late = `No reader was free within ${timeoutMs} ms`;
      const timer = setTimeout(() => waiter.refuse(new ClientError('BUSY', late)), timeoutMs);
      this.#waiting.add(waiter);
    });
  }

  #release(reader: Reader): void {
    const [first] = this.#waiting;
    if (first === undefined) this.#idle.push(reader);
    else first.begin(reader);
  }

  #start(): Reader {
    const { start, onLost, onProblem } = this.#options;
    const { channel, exited } = start();
    const reader = { link: new ReaderLink(channel, onProblem), exited };
    this.#readers.push(reader);
    void exited.then((cause) => {
      if (!this.#isClosed) onLost(cause);
    });
    return reader;
  }
}
