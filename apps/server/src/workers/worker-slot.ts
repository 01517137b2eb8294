import { AppError, Backoff, pause, type Clock, type Logger } from '@sluice/base';
import type { ConcernedSessions } from '@sluice/sync';
import { fromFailure, type ReplicatorFailure } from '../replicator/messages.ts';
import { PendingRequests } from '../replicator/pending-requests.ts';
import { added, NO_TRAFFIC, summedTraffic, trafficThatWas } from '../serving/traffic.ts';
import type { FromWorker, ToWorker, WorkerReport } from './messages.ts';
import type { LaunchWorkerProcess, WorkerProcess } from './worker-process.ts';

type Begin = Extract<ToWorker, { readonly kind: 'begin' }>;

export interface WorkerSlotOptions {
  /** From 1. */
  readonly number: number;
  readonly launch: LaunchWorkerProcess;
  /** What a new process is to do, once it may; undefined where it never may. Never rejects. */
  readonly begin: () => Promise<Begin | undefined>;
  readonly onMessage: (message: Extract<FromWorker, { kind: 'changed' | 'request' }>) => void;
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
/** After so many that ended before one of them listened, nobody waits for the next. */
const MAX_FAILED_STARTS = 3;
const COUNT_MS = 5000;

/** One process. It must be `loaded` before it can be told anything, and `held` until it may begin. */
interface Attempt {
  readonly process: WorkerProcess;
  phase: 'loading' | 'held' | 'begun' | 'listening';
  aliveAtMs: number;
}

/** Keeps one API worker at work: starts another process when it has ended or shows no sign of life. */
export class WorkerSlot {
  readonly #options: WorkerSlotOptions;
  readonly #backoff: Backoff;
  readonly #counts: PendingRequests<ConcernedSessions>;
  readonly #started = new FirstStart();
  #attempt: Attempt | undefined;
  /** Of the present process, as it was reported last. */
  #report: WorkerReport = NOTHING;
  /** Of those that have ended. */
  #past: WorkerReport = NOTHING;

  constructor(options: WorkerSlotOptions) {
    this.#options = options;
    const { number, clock, random } = options;
    this.#backoff = new Backoff({ firstMs: 250, maxMs: 5000, jitter: 0.2, random });
    this.#counts = new PendingRequests({
      clock,
      answerMs: COUNT_MS,
      unanswered: (seconds) =>
        new AppError(
          'API_WORKER_UNANSWERED',
          `API worker ${number} did not count its clients within ${seconds} s`,
        ),
    });
  }

  /**
   * Resolves with the address of the first process that listens. Whoever waits tells the failure:
   * why the first that tried cannot, `API_WORKER_FAILED` when several ended before they could, or
   * `SYNC_SHUTTING_DOWN`.
   */
  get listening(): Promise<string> {
    return this.#started.promise;
  }

  get number(): number {
    return this.#options.number;
  }

  /** What its processes have done so far, and what the present one is at. */
  get report(): WorkerReport {
    const { traffic, errors, problems } = this.#report;
    const { traffic: past, errors: pastErrors } = this.#past;
    return { traffic: summedTraffic([past, traffic]), errors: added(pastErrors, errors), problems };
  }

  /** Whether there is a process that can have clients. */
  get isServing(): boolean {
    return this.#attempt?.phase === 'listening';
  }

  /** Lost while there is no process that has begun: it learns what it needs when it begins. */
  post(message: ToWorker): void {
    const phase = this.#attempt?.phase;
    if (phase === 'begun' || phase === 'listening') this.#attempt?.process.post(message);
  }

  /**
   * Counts the sessions of this worker that a sync config concerns.
   *
   * @throws AppError `API_WORKER_UNANSWERED`, `API_WORKER_ENDED`, and what the worker throws.
   */
  count(configText: string): Promise<ConcernedSessions> {
    return this.#counts.send((id) => this.post({ kind: 'count', id, configText }));
  }

  /** Runs until the signal, then has the process end, and returns. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, number } = this.#options;
    for (let starts = 1; !signal.aborted; starts += 1) {
      const startedAtMs = clock.now();
      const how = await this.#runOnce(signal);
      const { traffic, errors } = this.report;
      this.#past = { traffic: trafficThatWas(traffic), errors, problems: [] };
      this.#report = NOTHING;
      this.#counts.rejectAll(signal.aborted ? stopping() : endedWhileAsked(number));
      if (signal.aborted) break;
      if (starts >= MAX_FAILED_STARTS) this.#started.fail(endedAtStart(number, how));
      if (clock.now() - startedAtMs > STEADY_MS) this.#backoff.reset();
      const retryInMs = this.#backoff.nextDelayMs();
      logger.error('api_worker_ended', { number, how, retryInMs });
      await pause(clock, retryInMs, signal);
    }
    this.#started.fail(stopping());
  }

  /** Until the process has ended; says how. */
  async #runOnce(signal: AbortSignal): Promise<string> {
    const { launch, clock, number, logger } = this.#options;
    const attempt: Attempt = {
      process: launch((message) => this.#take(attempt, message)),
      phase: 'loading',
      aliveAtMs: clock.now(),
    };
    this.#attempt = attempt;
    logger.info('api_worker_started', { number, worker: attempt.process.pid });
    const ended = new AbortController();
    const guard = this.#guard(attempt, ended.signal, signal);
    const how = await attempt.process.exited;
    this.#attempt = undefined;
    ended.abort();
    await guard;
    return how;
  }

  async #guard(attempt: Attempt, ended: AbortSignal, signal: AbortSignal): Promise<void> {
    await this.#watch(attempt, AbortSignal.any([signal, ended]));
    if (signal.aborted && !ended.aborted) await this.#end(attempt);
  }

  /** Kills the process when it stalls; until then, or until the signal. */
  async #watch(attempt: Attempt, signal: AbortSignal): Promise<void> {
    const { clock, logger, number } = this.#options;
    for (;;) {
      await pause(clock, WATCH_MS, signal);
      if (signal.aborted) return;
      const silentMs = clock.now() - attempt.aliveAtMs;
      // One that is held has nothing to say; how long it is held is bounded by who holds it.
      if (attempt.phase === 'held' || silentMs <= STALLED_MS) continue;
      logger.error('api_worker_stalled', { number, silentMs });
      return attempt.process.kill();
    }
  }

  async #end({ process, phase }: Attempt): Promise<void> {
    // It has nobody to serve, and could not be told: what is sent before it has loaded is lost.
    if (phase === 'loading' || phase === 'held') return process.kill();
    const { clock, logger, number } = this.#options;
    process.post({ kind: 'stop' });
    const timer = new AbortController();
    const timeout = pause(clock, STOP_MS, timer.signal).then(() => 'timeout' as const);
    if ((await Promise.race([process.exited, timeout])) === 'timeout') {
      logger.warn('api_worker_stop_forced', { number, afterMs: STOP_MS });
      process.kill();
    }
    timer.abort();
  }

  #take(attempt: Attempt, message: FromWorker): void {
    attempt.aliveAtMs = this.#options.clock.now();
    switch (message.kind) {
      case 'ready':
        void this.#begin(attempt);
        break;
      case 'listening':
        attempt.phase = 'listening';
        this.#started.listens(message.url);
        break;
      case 'failed':
        this.#fail(attempt, message.failure);
        break;
      case 'report':
        this.#report = message.report;
        break;
      case 'counted':
        this.#counts.take(message.answer);
        break;
      case 'changed':
      case 'request':
        this.#options.onMessage(message);
    }
  }

  async #begin(attempt: Attempt): Promise<void> {
    attempt.phase = 'held';
    const begin = await this.#options.begin();
    if (!begin) return;
    attempt.phase = 'begun';
    attempt.aliveAtMs = this.#options.clock.now();
    attempt.process.post(begin);
  }

  #fail({ process }: Attempt, failure: ReplicatorFailure): void {
    const { code, message, remedy } = failure;
    if (this.#started.isSettled) {
      const { logger, number } = this.#options;
      logger.error('api_worker_failed', { number, code, message, remedy });
    }
    this.#started.fail(fromFailure(failure));
    process.kill();
  }
}

const NOTHING: WorkerReport = { traffic: NO_TRAFFIC, errors: {}, problems: [] };

/** How the first start ended; what comes later changes nothing. */
class FirstStart {
  readonly promise: Promise<string>;
  isSettled = false;
  #resolve: (url: string) => void = () => {};
  #reject: (error: AppError) => void = () => {};

  constructor() {
    this.promise = new Promise<string>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.promise.catch(() => {}); // whoever waits for it sees it
  }

  listens(url: string): void {
    this.isSettled = true;
    this.#resolve(url);
  }

  fail(error: AppError): void {
    this.isSettled = true;
    this.#reject(error);
  }
}

function stopping(): AppError {
  return new AppError('SYNC_SHUTTING_DOWN', 'The service is stopping');
}

function endedWhileAsked(number: number): AppError {
  return new AppError('API_WORKER_ENDED', `API worker ${number} ended while it was asked`);
}

function endedAtStart(number: number, how: string): AppError {
  return new AppError(
    'API_WORKER_FAILED',
    `API worker ${number} ended ${MAX_FAILED_STARTS} times before it listened, the last time ${how}`,
  );
}
