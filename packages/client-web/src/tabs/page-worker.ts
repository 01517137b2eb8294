import { ClientError, fromPlainError, type CompiledSchema } from '@sluice/client';
import type { FromWorker, Join, ToWorker } from './messages.ts';
import { tabNames, type TabNames } from './names.ts';
import { Silence } from './silence.ts';
import { whenLockIsFree } from './when-lock-is-free.ts';

export interface PageWorkerOptions {
  readonly database: string;
  readonly schema: () => CompiledSchema;
  readonly openedAt: number;
  readonly newId: () => string;
  readonly startWorker: () => Worker;
  readonly wasmUrl: string | undefined;
  readonly cacheBytes: number | undefined;
  /** How long the worker may be busy with one thing, until it is ended and another one begun. */
  readonly maxBusyMs: number;
  readonly onProblem: (problem: unknown) => void;
  /** It cannot lead, and says why. Another tab's may. */
  readonly onFailed: (error: unknown) => void;
}

const END_TIMEOUT_MS = 5_000;
/** A browser that is short of memory may end workers: not more often than this is one begun again. */
const RESTART_AFTER_MS = 2_000;
const PING_AFTER_MS = 1_000;

/**
 * A page's worker, which leads or waits to. One that dies, as for want of memory, is followed by another. So is one that hangs: nobody but its page can
 * end it, and the files are held until it ends. The next one may be busy for twice as long, in case it is not a mistake but much work.
 */
export class PageWorker {
  readonly #options: PageWorkerOptions;
  readonly #names: TabNames;
  readonly #closing = new AbortController();
  #onEnded: () => void = () => undefined;
  #worker: Worker;
  #id: string;
  #maxBusyMs: number;
  /** Of the worker, once its script runs. */
  #silence: Silence | undefined;
  #isAsked = false;
  #isEnding = false;

  constructor(options: PageWorkerOptions) {
    this.#options = options;
    this.#names = tabNames(options.database);
    this.#id = options.newId();
    this.#maxBusyMs = options.maxBusyMs;
    this.#worker = this.#start();
  }

  /** Names the worker of now. */
  get id(): string {
    return this.#id;
  }

  join(join: Join): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage({ kind: 'join', join, port: port2 } satisfies ToWorker, [port2]);
    return port1;
  }

  /** Ends the worker if it has hung for too long. To be called again and again, also when others ask who leads: timers of hidden pages are slow. */
  watch(): void {
    const silentMs = this.#silence?.look(performance.now()) ?? 0;
    if (this.#isAsked && silentMs > this.#maxBusyMs) {
      this.#options.onProblem(hung(silentMs));
      this.#maxBusyMs *= 2;
      this.#end();
    } else if (silentMs > PING_AFTER_MS && !this.#isAsked) {
      this.#isAsked = true;
      this.#worker.postMessage({ kind: 'ping' } satisfies ToWorker);
    }
  }

  /** The page will be frozen: another tab's worker is to lead meanwhile. When the page goes on, it begins another one. */
  freeze(): void {
    this.#end();
  }

  /** Closes the database if the worker leads, so that the next one finds the files free. */
  async close(): Promise<void> {
    this.#closing.abort();
    const ended = new Promise<void>((resolve) => (this.#onEnded = resolve));
    this.#worker.postMessage({ kind: 'end' } satisfies ToWorker);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, END_TIMEOUT_MS))]);
    this.#worker.terminate();
  }

  /** Its lock is free then, which begins the next one. */
  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#worker.terminate();
    if (this.#silence === undefined) this.#restartAtEnd().catch(this.#options.onProblem);
    this.#silence = undefined;
  }

  #start(): Worker {
    const { database, openedAt, schema, wasmUrl, cacheBytes, startWorker } = this.#options;
    this.#isAsked = false;
    this.#isEnding = false;
    const worker = startWorker();
    worker.addEventListener('message', ({ data }) => {
      if (worker === this.#worker && !this.#isEnding) this.#hear(data as FromWorker);
    });
    worker.addEventListener('error', (event) => this.#options.onFailed(event));
    const start = { worker: this.#id, database, openedAt, schema: schema(), wasmUrl, cacheBytes };
    worker.postMessage({ kind: 'start', ...start } satisfies ToWorker);
    return worker;
  }

  #hear(message: FromWorker): void {
    this.#isAsked = false;
    this.#silence?.heard(performance.now());
    switch (message.kind) {
      case 'awake':
        return;
      case 'started':
        this.#silence = new Silence(performance.now());
        this.#restartAtEnd().catch(this.#options.onProblem);
        return;
      case 'ended':
        return this.#onEnded();
      case 'problem':
        return this.#options.onProblem(fromPlainError(message.error));
      case 'failed':
        this.#options.onFailed(fromPlainError(message.error));
    }
  }

  async #restartAtEnd(): Promise<void> {
    const { signal } = this.#closing;
    const startedAt = performance.now();
    if (!(await whenLockIsFree(this.#names.workerLock(this.#id), signal))) return;
    const waitMs = Math.max(0, startedAt + RESTART_AFTER_MS - performance.now());
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (signal.aborted) return;
    this.#worker.terminate();
    this.#id = this.#options.newId();
    this.#worker = this.#start();
  }
}

function hung(silentMs: number): ClientError {
  return new ClientError(
    'WORKER_HUNG',
    `The database's worker did not answer for ${Math.round(silentMs / 1000)} s, and was ended: a statement may take too long; what it was asked is asked again (maxBusyMs)`,
  );
}
