import { AppError, Backoff, ERROR_TABLE, pause, type Clock, type Logger } from '@sluice/base';
import type { DeployOutcome } from '@sluice/replication';
import type { ReplicationStatus, StatusError } from '../service-status.ts';
import {
  isErrorCode,
  toFailure,
  type FromReplicator,
  type ReplicatorFailure,
  type ReplicatorRequest,
} from './messages.ts';
import type { ReplicatorGauges, ReplicatorMeters } from './meters.ts';
import { PendingRequests } from './pending-requests.ts';
import { emptyStatus, statusAfterFailure, statusAfterMessage } from './status-reducer.ts';
import type { LaunchThread, ReplicatorThread } from './replicator-thread.ts';

export interface SupervisorOptions {
  readonly launch: LaunchThread;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  readonly onStatus: (status: ReplicationStatus) => void;
  readonly onMeters?: ((added: ReplicatorMeters, gauges: ReplicatorGauges) => void) | undefined;
}

/** Without a sign of life for so long, the thread is ended and started anew. */
const STALLED_MS = 30_000;
const WATCH_MS = 1000;
/** Given to the thread to close its connections when the service stops. */
const STOP_MS = 8000;
/** Failures that nobody's waiting cures are tried again too, but seldom. */
const HOPELESS_MS = 30_000;

type Outcome =
  | { readonly kind: 'failed'; readonly failure: ReplicatorFailure }
  | { readonly kind: 'ended'; readonly failure: ReplicatorFailure }
  | { readonly kind: 'stopped' };

/**
 * Keeps a replicator thread at work: runs it again after failures, with pauses that grow, and starts
 * a new one when it died or shows no sign of life (design D10).
 */
export class ReplicatorSupervisor {
  readonly #options: SupervisorOptions;
  readonly #backoff: Backoff;
  #status: ReplicationStatus;
  #logged: string | undefined;
  #fail: ((failure: ReplicatorFailure) => void) | undefined;
  readonly #requests: PendingRequests;
  /** Only while it has been told to run and has not failed. */
  #running: ReplicatorThread | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#backoff = new Backoff({
      firstMs: 250,
      maxMs: 5000,
      jitter: 0.2,
      random: options.random,
    });
    this.#status = emptyStatus(options.clock.now());
    this.#requests = new PendingRequests(options.clock);
  }

  /** While a failure is waited out, the supervisor itself is the sign of life. */
  get status(): ReplicationStatus {
    if (this.#status.state !== 'waiting') return this.#status;
    return { ...this.#status, touchedAtMs: this.#options.clock.now() };
  }

  /** Runs until the signal, then stops the thread and returns. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#superviseThread(signal);
    this.#setStatus({ ...this.#status, state: 'stopped' });
  }

  /**
   * Has the replicator do something; resolves once that is durable.
   *
   * @throws AppError what the replicator answers (see `Replication`); `REPLICATION_WAITING` while a
   * failure is waited out; `API_DEPLOY_UNANSWERED` when no answer comes in time, `REPLICATION_WAITING`
   * also when the replicator fails meanwhile: what became of the request is not known then.
   */
  request(request: ReplicatorRequest): Promise<DeployOutcome> {
    const thread = this.#running;
    if (thread === undefined) return Promise.reject(notRunning(this.#status.lastError));
    return this.#requests.send(request, (message) => thread.post(message));
  }

  async #superviseThread(signal: AbortSignal): Promise<void> {
    this.#setStatus({ ...this.#status, state: 'starting', touchedAtMs: this.#now() });
    const thread = this.#options.launch((message) => this.#take(message));
    for (;;) {
      const outcome = await this.#runOnce(thread, signal);
      if (outcome.kind === 'stopped') {
        this.#requests.rejectAll(new AppError('SYNC_SHUTTING_DOWN', 'The service is stopping'));
        return this.#stopThread(thread);
      }
      const pauseMs = this.#note(outcome.failure);
      this.#requests.rejectAll(notRunning(outcome.failure));
      if (outcome.kind === 'ended') await thread.terminate();
      // Only the signal interrupts the pause; `runOnce` or the caller's loop then sees it.
      await pause(this.#options.clock, pauseMs, signal);
      if (outcome.kind === 'ended') return;
    }
  }

  /** Until the attempt has failed, the thread is gone or stalled, or the service stops. */
  async #runOnce(thread: ReplicatorThread, signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) return { kind: 'stopped' };
    const settled = new AbortController();
    const failed = new Promise<Outcome>((resolve) => {
      this.#fail = (failure) => resolve({ kind: 'failed', failure });
    });
    this.#status = { ...this.#status, touchedAtMs: this.#now() };
    thread.post({ kind: 'run' });
    this.#running = thread;
    const exited = thread.exited.then((error): Outcome => ({
      kind: 'ended',
      failure: died(error),
    }));
    try {
      return await Promise.race([failed, exited, this.#watch(signal, settled.signal)]);
    } finally {
      this.#fail = undefined;
      this.#running = undefined;
      settled.abort();
    }
  }

  /** Looks for signs of life once a second. */
  async #watch(signal: AbortSignal, settled: AbortSignal): Promise<Outcome> {
    const either = AbortSignal.any([signal, settled]);
    for (;;) {
      await pause(this.#options.clock, WATCH_MS, either);
      if (either.aborted) return { kind: 'stopped' };
      const silentMs = this.#now() - this.#status.touchedAtMs;
      if (silentMs > STALLED_MS) return { kind: 'ended', failure: stalled(silentMs) };
    }
  }

  async #stopThread(thread: ReplicatorThread): Promise<void> {
    const timer = new AbortController();
    thread.post({ kind: 'stop' });
    // Only its own end interrupts the timer.
    const timeout = pause(this.#options.clock, STOP_MS, timer.signal);
    const error = await Promise.race([thread.exited, timeout.then(() => 'timeout' as const)]);
    timer.abort();
    if (error === 'timeout') {
      this.#options.logger.warn('replicator_stop_forced', { afterMs: STOP_MS });
      await thread.terminate();
    }
  }

  #take(message: FromReplicator): void {
    if (message.kind === 'log') {
      this.#options.logger[message.level](message.event, message.facts);
      return;
    }
    if (message.kind === 'meters') {
      this.#options.onMeters?.(message.added, message.gauges);
      return;
    }
    if (message.kind === 'failed') {
      this.#fail?.(message.failure);
      return;
    }
    if (message.kind === 'answer' || message.kind === 'refusal') {
      this.#requests.take(message);
      return;
    }
    this.#setStatus(statusAfterMessage(this.#status, message, this.#now()));
    if (message.kind === 'status' && message.status.phase !== 'connecting') this.#recovered();
  }

  #recovered(): void {
    this.#backoff.reset();
    if (this.#logged === undefined) return;
    this.#logged = undefined;
    this.#options.logger.info('replication_recovered');
  }

  /** Records a failure, logs it if it is another one than before, and says how long to pause. */
  #note(failure: ReplicatorFailure): number {
    this.#setStatus(statusAfterFailure(this.#status, failure, this.#now()));
    const pauseMs = failure.retryable ? this.#backoff.nextDelayMs() : HOPELESS_MS;
    const identity = `${failure.code} ${failure.message}`;
    const { code, message, remedy, stack } = failure;
    const facts = { code, message, remedy, ...(stack === undefined ? {} : { stack }) };
    if (identity === this.#logged) {
      this.#options.logger.debug('replication_failed_again', { code: failure.code, pauseMs });
    } else {
      const level = levelOf(failure.code);
      this.#options.logger[level]('replication_failed', { ...facts, retryInMs: pauseMs });
    }
    this.#logged = identity;
    return pauseMs;
  }

  #setStatus(status: ReplicationStatus): void {
    this.#status = status;
    this.#options.onStatus(this.status);
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

function levelOf(code: string): 'error' | 'warn' | 'info' {
  return isErrorCode(code) ? ERROR_TABLE[code].logLevel : 'error';
}

function notRunning(failure: Pick<StatusError, 'code' | 'message' | 'remedy'> | undefined) {
  if (failure === undefined) {
    return new AppError('REPLICATION_WAITING', 'The replicator has not started yet');
  }
  const { code, message, remedy } = failure;
  return new AppError(
    'REPLICATION_WAITING',
    `The replicator waits out a failure: ${message} (${code})`,
    { remedy, details: { code } },
  );
}

function died(error: Error | undefined): ReplicatorFailure {
  const reason = error === undefined ? 'without an error' : `with ${error.message}`;
  const failure = new AppError('REPLICATION_STOPPED', `The replicator thread ended ${reason}`);
  return { ...toFailure(failure), stack: error?.stack };
}

function stalled(silentMs: number): ReplicatorFailure {
  const seconds = Math.round(silentMs / 1000);
  return toFailure(
    new AppError('REPLICATION_STALLED', `The replicator gave no sign of life for ${seconds} s`),
  );
}
