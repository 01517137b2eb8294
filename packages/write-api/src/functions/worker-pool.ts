import { AppError, type Logger } from '@sluice/base';
import type { FunctionBundle } from './bundle-functions.ts';
import { FunctionWorker, type WorkerLimits } from './function-worker.ts';

export interface PoolLimits extends WorkerLimits {
  readonly maxWorkers: number;
  /** Calls that may wait for a worker. */
  readonly maxWaiting: number;
  /** How long one may wait for it. */
  readonly waitTimeoutMs: number;
}

interface Waiter {
  /** Undefined: any worker will do. */
  readonly worker: FunctionWorker | undefined;
  readonly resolve: (worker: FunctionWorker) => void;
  readonly reject: (error: AppError) => void;
}

/**
 * A bounded number of worker threads, started when they are needed. Each is lent to one call at a
 * time; the others wait their turn, in order.
 */
export class WorkerPool implements AsyncDisposable {
  #bundle: FunctionBundle;
  readonly #limits: PoolLimits;
  readonly #logger: Logger;
  readonly #idle: FunctionWorker[] = [];
  readonly #busy = new Set<FunctionWorker>();
  /** Started from a bundle that is not the current one: ended as soon as nobody needs them. */
  readonly #outdated = new Set<FunctionWorker>();
  /** By worker: transactions that have not ended, whose work after the commit it keeps. */
  readonly #held = new Map<FunctionWorker, number>();
  #starting = 0;
  readonly #waiting: Waiter[] = [];
  #isClosed = false;

  constructor(bundle: FunctionBundle, limits: PoolLimits, logger: Logger) {
    this.#bundle = bundle;
    this.#limits = limits;
    this.#logger = logger;
  }

  get workerCount(): number {
    return this.#idle.length + this.#busy.size + this.#starting;
  }

  /** Lends a worker that was started and tried before. */
  adopt(worker: FunctionWorker): void {
    this.#idle.push(worker);
    this.#serveNext();
  }

  /**
   * Lends a worker to `use`: any, or the given one.
   *
   * @throws AppError `FUNCTION_BUSY` when the wait is too long; `FUNCTION_ENDED` when the given one
   * is not alive any more.
   */
  async with<T>(use: (worker: FunctionWorker) => Promise<T>, which?: FunctionWorker): Promise<T> {
    const worker = await this.#acquire(which);
    try {
      return await use(worker);
    } finally {
      this.#release(worker);
    }
  }

  /** Keeps the worker alive, also over a reload, until `letGo` was called as often. */
  hold(worker: FunctionWorker): void {
    this.#held.set(worker, (this.#held.get(worker) ?? 0) + 1);
  }

  letGo(worker: FunctionWorker): void {
    const count = (this.#held.get(worker) ?? 0) - 1;
    if (count > 0) this.#held.set(worker, count);
    else this.#held.delete(worker);
    if (!this.#busy.has(worker)) this.#endIfOutdated(worker);
  }

  /** New calls run what the bundle has; calls that run now end in peace. */
  replace(bundle: FunctionBundle): void {
    this.#bundle = bundle;
    for (const worker of [...this.#idle, ...this.#busy]) this.#outdated.add(worker);
    for (const worker of this.#idle.splice(0)) {
      if (!this.#endIfOutdated(worker)) this.#idle.push(worker);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(busy('The service is stopping'));
    await Promise.all([...this.#idle, ...this.#busy].map((worker) => worker.terminate()));
  }

  #acquire(which: FunctionWorker | undefined): Promise<FunctionWorker> {
    if (this.#isClosed) return Promise.reject(busy('The service is stopping'));
    const ready = this.#takeIdle(which);
    if (ready !== undefined) return Promise.resolve(ready);
    if (which !== undefined && !this.#busy.has(which)) return Promise.reject(gone());
    if (this.#waiting.length >= this.#limits.maxWaiting) {
      return Promise.reject(busy('Too many calls of functions wait for their turn'));
    }
    const waited = this.#wait(which);
    if (which === undefined && this.workerCount < this.#limits.maxWorkers) void this.#startOne();
    return waited;
  }

  #wait(worker: FunctionWorker | undefined): Promise<FunctionWorker> {
    return new Promise((resolve, reject) => {
      const settle =
        <T>(action: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          action(value);
        };
      const waiter: Waiter = { worker, resolve: settle(resolve), reject: settle(reject) };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(busy(`A call waited ${this.#limits.waitTimeoutMs} ms for its turn`));
      }, this.#limits.waitTimeoutMs);
      this.#waiting.push(waiter);
    });
  }

  #takeIdle(which: FunctionWorker | undefined): FunctionWorker | undefined {
    for (;;) {
      const at =
        which === undefined
          ? this.#idle.findLastIndex((worker) => !this.#outdated.has(worker))
          : this.#idle.indexOf(which);
      const [worker] = at < 0 ? [] : this.#idle.splice(at, 1);
      if (worker === undefined) return undefined;
      if (!worker.isAlive) continue; // e.g. a timer of an earlier call threw
      this.#busy.add(worker);
      return worker;
    }
  }

  async #startOne(): Promise<void> {
    this.#starting += 1;
    const bundle = this.#bundle;
    try {
      const worker = await FunctionWorker.start(bundle, this.#limits, this.#logger);
      if (this.#isClosed) {
        await worker.terminate();
        return;
      }
      if (bundle !== this.#bundle) this.#outdated.add(worker);
      this.#idle.push(worker);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#logger.error('function_worker_failed', { message });
      const at = this.#waiting.findIndex((waiter) => waiter.worker === undefined);
      const [waiter] = at < 0 ? [] : this.#waiting.splice(at, 1);
      waiter?.reject(busy(`A thread for functions could not start: ${message}`));
    } finally {
      this.#starting -= 1;
    }
    this.#serveNext();
  }

  #release(worker: FunctionWorker): void {
    this.#busy.delete(worker);
    if (worker.isAlive) {
      if (!this.#endIfOutdated(worker)) this.#idle.push(worker);
    } else {
      this.#outdated.delete(worker);
      this.#held.delete(worker);
    }
    this.#serveNext();
  }

  /** Gives idle workers to those who wait, and starts workers for those who can have any. */
  #serveNext(): void {
    for (const waiter of this.#waiting.slice()) {
      const worker = this.#takeIdle(waiter.worker);
      if (worker !== undefined) {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        waiter.resolve(worker);
      } else if (waiter.worker !== undefined && !this.#busy.has(waiter.worker)) {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        waiter.reject(gone());
      }
    }
    const wanting = this.#waiting.filter(({ worker }) => worker === undefined).length;
    if (wanting > this.#starting && this.workerCount < this.#limits.maxWorkers)
      void this.#startOne();
  }

  #endIfOutdated(worker: FunctionWorker): boolean {
    if (!this.#outdated.has(worker) || this.#held.has(worker)) return false;
    this.#outdated.delete(worker);
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
    void worker.terminate();
    return true;
  }
}

function busy(message: string): AppError {
  return new AppError('FUNCTION_BUSY', message);
}

function gone(): AppError {
  return new AppError(
    'FUNCTION_ENDED',
    'The thread that the function ran in is not there any more',
  );
}
