import { fromPlainError, type CompiledSchema } from '@sluice/client';
import type { FromWorker, Join, ToWorker } from './messages.ts';
import { tabNames, type TabNames } from './names.ts';
import { whenLockIsFree } from './when-lock-is-free.ts';

export interface PageWorkerOptions {
  readonly database: string;
  readonly schema: () => CompiledSchema;
  readonly openedAt: number;
  readonly newId: () => string;
  readonly startWorker: () => Worker;
  readonly wasmUrl: string | undefined;
  readonly cacheBytes: number | undefined;
  readonly onProblem: (problem: unknown) => void;
  /** It cannot lead, and says why. Another tab's may. */
  readonly onFailed: (error: unknown) => void;
}

const END_TIMEOUT_MS = 5_000;
/** A browser that is short of memory may end workers: not more often than this is one begun again. */
const RESTART_AFTER_MS = 2_000;

/** A page's worker, which leads or waits to. One that dies, as for want of memory, is followed by another. */
export class PageWorker {
  readonly #options: PageWorkerOptions;
  readonly #names: TabNames;
  readonly #closing = new AbortController();
  #onEnded: () => void = () => undefined;
  #worker: Worker;
  #id: string;

  constructor(options: PageWorkerOptions) {
    this.#options = options;
    this.#names = tabNames(options.database);
    this.#id = options.newId();
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

  /** Closes the database if the worker leads, so that the next one finds the files free. */
  async close(): Promise<void> {
    this.#closing.abort();
    const ended = new Promise<void>((resolve) => (this.#onEnded = resolve));
    this.#worker.postMessage({ kind: 'end' } satisfies ToWorker);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, END_TIMEOUT_MS))]);
    this.#worker.terminate();
  }

  #start(): Worker {
    const { database, openedAt, schema, wasmUrl, cacheBytes, startWorker } = this.#options;
    const worker = startWorker();
    worker.addEventListener('message', ({ data }) => this.#hear(data as FromWorker));
    worker.addEventListener('error', (event) => this.#options.onFailed(event));
    const start = { worker: this.#id, database, openedAt, schema: schema(), wasmUrl, cacheBytes };
    worker.postMessage({ kind: 'start', ...start } satisfies ToWorker);
    return worker;
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'started':
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
