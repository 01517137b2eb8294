import { Backoff, pause, type AppError, type Clock, type Logger } from '@sluice/base';
import { fromFailure } from '../replicator/messages.ts';
import type { FromWorker, ToWorker, WorkerReport } from './messages.ts';
import type { LaunchWorkerProcess, WorkerProcess } from './worker-process.ts';

export interface WorkerSlotOptions {
  /** From 1. */
  readonly number: number;
  readonly launch: LaunchWorkerProcess;
  /** Tells a new process what to do. */
  readonly begin: () => ToWorker;
  /** Everything but reports and what concerns the start. */
  readonly onMessage: (message: FromWorker) => void;
  /** The process has gone: nothing will be answered any more. */
  readonly onEnded: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Without a report for so long, the process is killed and started anew. */
const STALLED_MS = 30_000;
const WATCH_MS = 1000;
/** Given to the process to end its streams. */
const STOP_MS = 8000;
/** A process that lived so long did not fail at its start: the next pause is short again. */
const STEADY_MS = 10_000;

/** Keeps one API worker at work: starts another process when it has ended or shows no sign of life. */
export class WorkerSlot {
  readonly #options: WorkerSlotOptions;
  readonly #backoff: Backoff;
  /** Resolves with the address of the first process, rejects with why it does not listen. */
  readonly listening: Promise<string>;
  #settle: { readonly resolve: (url: string) => void; readonly reject: (e: AppError) => void };
  #process: WorkerProcess | undefined;
  #report: WorkerReport = NOTHING;
  #aliveAtMs = 0;
  #isStopping = false;

  constructor(options: WorkerSlotOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ firstMs: 250, maxMs: 5000, jitter: 0.2, random: options.random });
    const { promise, resolve, reject } = deferred<string>();
    this.listening = promise;
    this.#settle = { resolve, reject };
    promise.catch(() => {}); // whoever waits for it sees it
  }

  /** What the process reported last; nothing while there is none. */
  get report(): WorkerReport {
    return this.#report;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  post(message: ToWorker): void {
    this.#process?.post(message);
  }

  /** Runs until the signal, then has the process end, and returns. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, number } = this.#options;
    while (!signal.aborted) {
      const startedAtMs = clock.now();
      const how = await this.#runOnce(signal);
      this.#report = NOTHING;
      this.#options.onEnded();
      if (signal.aborted) return;
      if (clock.now() - startedAtMs > STEADY_MS) this.#backoff.reset();
      const retryInMs = this.#backoff.nextDelayMs();
      logger.error('api_worker_ended', { number, how, retryInMs });
      await pause(clock, retryInMs, signal);
    }
  }

  /** Until the process has ended; says how. */
  async #runOnce(signal: AbortSignal): Promise<string> {
    const { launch, clock, number, logger } = this.#options;
    const worker = launch((message) => this.#take(worker, message));
    this.#process = worker;
    this.#aliveAtMs = clock.now();
    const ended = new AbortController();
    logger.info('api_worker_started', { number, worker: worker.pid });
    const guard = this.#guard(worker, AbortSignal.any([signal, ended.signal]), signal);
    const how = await worker.exited;
    this.#process = undefined;
    ended.abort();
    await guard;
    return how;
  }

  /** Kills the process when it stalls, or when it does not end in time after the signal. */
  async #guard(worker: WorkerProcess, either: AbortSignal, signal: AbortSignal): Promise<void> {
    const { clock, logger, number } = this.#options;
    while (!either.aborted) {
      await pause(clock, WATCH_MS, either);
      const silentMs = clock.now() - this.#aliveAtMs;
      if (either.aborted || silentMs <= STALLED_MS) continue;
      logger.error('api_worker_stalled', { number, silentMs });
      worker.kill();
      break;
    }
    if (!signal.aborted || this.#process !== worker) return;
    this.#isStopping = true;
    worker.post({ kind: 'stop' });
    const timer = new AbortController();
    const timeout = pause(clock, STOP_MS, timer.signal).then(() => 'timeout' as const);
    if ((await Promise.race([worker.exited, timeout])) === 'timeout') {
      logger.warn('api_worker_stop_forced', { number, afterMs: STOP_MS });
      worker.kill();
    }
    timer.abort();
  }

  #take(worker: WorkerProcess, message: FromWorker): void {
    this.#aliveAtMs = this.#options.clock.now();
    switch (message.kind) {
      case 'ready':
        if (this.#isStopping) worker.kill();
        else worker.post(this.#options.begin());
        break;
      case 'listening':
        this.#settle.resolve(message.url);
        break;
      case 'failed': {
        const { code, message: text } = message.failure;
        // The first failure of all ends the start of the service, which tells it.
        this.#settle.reject(fromFailure(message.failure));
        this.#options.logger.debug('api_worker_failed', { code, message: text });
        worker.kill();
        break;
      }
      case 'report':
        this.#report = message.report;
        break;
      default:
        this.#options.onMessage(message);
    }
  }
}

const NOTHING: WorkerReport = { streams: 0 };

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: AppError) => void = () => {};
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}
