import { pause, type ClientClock } from '../clock.ts';
import type { WriteGate } from '../crud/write-gate.ts';
import { untilFree, type WriterTurn } from '../database/writer-turn.ts';
import { ClientError } from '../errors.ts';
import { retryDelayMs } from '../sync/machine/delays.ts';
import type { StatusFacts } from '../sync/status/sync-status.ts';
import type { UploadLock } from './upload-lock.ts';
import { nextUploadStep, type UploadStep } from './upload-step.ts';
import type { WriteCheckpoints } from './write-checkpoints.ts';

/** What a session needs of uploads. */
export interface Uploads {
  /** Begins, or goes on; may be called twice. */
  start(): void;
  /** Resolves once nothing runs any more. */
  stop(): Promise<void>;
  /** There may be something to upload. */
  trigger(): void;
  /** A stream has brought its first line. */
  connected(): void;
  /** Waits no longer after a failure. */
  retryNow(): void;
}

export interface UploadResult {
  /** The backend wants to be asked again after this time, which is no failure; 0: after a delay that grows each time. */
  readonly retryAfterMs?: number | undefined;
}

/** What is left out is as before. See `StatusFacts`. */
type UploadFacts = Pick<StatusFacts, 'uploading'> &
  Partial<Pick<StatusFacts, 'uploadError' | 'uploadAttempts' | 'nextUploadAtMs'>>;

export interface UploadLoopOptions {
  /** The queue id of the oldest entry. */
  readonly oldest: () => number | undefined;
  readonly gate: WriteGate;
  /** The app's: reads the queue, sends, completes (spec/client.md 3.1). */
  readonly upload: (signal: AbortSignal) => Promise<UploadResult | void>;
  readonly checkpoints: WriteCheckpoints;
  readonly lock: UploadLock;
  /** Entries of a transaction that is still open are not there yet. */
  readonly turn: WriterTurn;
  readonly clock: ClientClock;
  /** In [0, 1). */
  readonly random: () => number;
  /** The least time between the starts of two rounds; 1,000 ms if left out. */
  readonly throttleMs?: number | undefined;
  readonly onStatus: (status: UploadFacts) => void;
  /** Everything is uploaded, and the write checkpoint for it noted. */
  readonly onAcknowledged: () => void;
}

const NEVER = { oldest: undefined, count: 0 };
const DEFAULT_THROTTLE_MS = 1_000;
/** An app's upload that goes on after the stop is waited for no longer than this. */
const STOP_TIMEOUT_MS = 30_000;
/** However long the backend wants to be left alone. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * Uploads local writes in rounds, with or without a download (spec/client.md 3.3): whatever triggers come during a round cause
 * exactly one more. A failure is tried again after a growing random delay, while the round goes on.
 */
export class UploadLoop implements Uploads {
  readonly #options: UploadLoopOptions;
  #stopping: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  #isWanted = false;
  #wake: () => void = () => undefined;
  #backoff = new AbortController();
  #failures = 0;
  /** How often in a row an entry was sent in vain; undefined: the write checkpoint was asked for. */
  #inVain: { readonly oldest: number | undefined; readonly count: number } = NEVER;
  #postedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: UploadLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.trigger();
    if (this.#stopping !== undefined) return;
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.#running = this.#running.then(() => this.#run(signal)).finally(() => this.#ended());
  }

  async stop(): Promise<void> {
    this.#stopping?.abort(new ClientError('STOPPED', 'The session was stopped'));
    this.#stopping = undefined;
    this.#wake();
    const late = new AbortController();
    await Promise.race([this.#running, pause(this.#options.clock, STOP_TIMEOUT_MS, late.signal)]);
    late.abort();
  }

  trigger(): void {
    this.#isWanted = true;
    this.#wake();
  }

  connected(): void {
    this.#options.checkpoints.connected();
    this.trigger();
  }

  retryNow(): void {
    this.#failures = 0;
    this.#backoff.abort();
    this.trigger();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, lock, throttleMs = DEFAULT_THROTTLE_MS } = this.#options;
    let startedAtMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      try {
        if (!this.#isWanted) await this.#untilWanted();
        const earlyMs = startedAtMs + throttleMs - clock.elapsed();
        if (earlyMs > 0) await pause(clock, earlyMs, signal);
        if (signal.aborted) return;
        this.#isWanted = false;
        startedAtMs = clock.elapsed();
        await lock(signal, () => this.#round(signal));
      } catch (error) {
        if (signal.aborted) return;
        this.#isWanted = true;
        await this.#failed(error, signal);
      }
    }
  }

  #ended(): void {
    this.#inVain = NEVER;
    this.#options.onStatus({ uploading: false, uploadAttempts: 0, nextUploadAtMs: undefined });
  }

  #untilWanted(): Promise<void> {
    const { checkpoints, clock } = this.#options;
    const wanted = new Promise<void>((resolve) => (this.#wake = resolve));
    const again = checkpoints.repeatAfterMs;
    if (again === undefined || !this.#isUnmet()) return wanted;
    const timer = new AbortController();
    const repeat = pause(clock, again, timer.signal).then(() => undefined);
    return Promise.race([wanted, repeat]).finally(() => timer.abort());
  }

  async #round(signal: AbortSignal): Promise<void> {
    let previous: number | undefined;
    while (!signal.aborted) {
      try {
        await untilFree(this.#options.turn);
        if (signal.aborted) break;
        const next = this.#next(previous);
        // What was sent before is done; an app that completes nothing is no success.
        if (previous !== undefined && next.kind !== 'stuck') this.#failures = 0;
        if (next.kind === 'rest') break;
        previous = next.kind === 'upload' ? next.oldest : undefined;
        const retryAfterMs = await this.#take(next, signal);
        if (next.kind !== 'upload' || (retryAfterMs ?? 0) > 0) this.#failures = 0;
        if (retryAfterMs === undefined) continue;
        previous = undefined;
        // What it took is gone, and what is left was sent as well.
        this.#begin(this.#options.oldest());
        this.#options.onStatus({ uploading: false, uploadAttempts: this.#attempts() });
        await this.#wait(retryAfterMs === 0 ? this.#nextDelayMs() : retryAfterMs, signal);
      } catch (error) {
        if (signal.aborted) break;
        previous = undefined;
        await this.#failed(error, signal);
      }
    }
    this.#ended();
  }

  #next(previous: number | undefined): UploadStep {
    const { oldest, gate, checkpoints, clock } = this.#options;
    const again = checkpoints.repeatAfterMs;
    const mayRepeat = again !== undefined && clock.elapsed() - this.#postedAtMs >= again;
    return nextUploadStep({ gate: gate.state(), oldest: oldest(), previous, mayRepeat });
  }

  /** Returns how long to wait, if the backend said so. */
  async #take(
    next: Exclude<UploadStep, { readonly kind: 'rest' }>,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { upload, gate, checkpoints, onStatus, onAcknowledged, clock, turn } = this.#options;
    switch (next.kind) {
      case 'stuck':
        throw new ClientError(
          'NOTHING_COMPLETED',
          'uploadData returned without completing anything: entries that were uploaded must be completed',
        );
      case 'upload': {
        onStatus({ uploading: true, uploadAttempts: this.#begin(next.oldest) });
        const result = await upload(signal);
        onStatus({ uploading: true, uploadError: undefined });
        return result?.retryAfterMs;
      }
      case 'checkpoint': {
        this.#begin(undefined);
        const checkpoint = await checkpoints.request(signal);
        this.#postedAtMs = clock.elapsed();
        onStatus({ uploading: false, uploadError: undefined, uploadAttempts: 0 });
        await untilFree(turn);
        if (gate.settle(next.sequence, checkpoint)) onAcknowledged();
        return undefined;
      }
      case 'repeat':
        await checkpoints.repeat(next.checkpoint, signal);
        this.#postedAtMs = clock.elapsed();
        return undefined;
    }
  }

  #isUnmet(): boolean {
    const { target, seen } = this.#options.gate.state();
    return target !== undefined && target > (seen ?? 0n);
  }

  async #failed(error: unknown, signal: AbortSignal): Promise<void> {
    const uploadAttempts = this.#attempts();
    this.#options.onStatus({ uploading: false, uploadError: uploadError(error), uploadAttempts });
    await this.#wait(this.#nextDelayMs(), signal);
  }

  /** Gives how often that was in vain before: it counts for the entry that is at the head of the queue. */
  #begin(oldest: number | undefined): number {
    if (this.#inVain.oldest !== oldest) this.#inVain = { oldest, count: 0 };
    return this.#inVain.count;
  }

  /** With the one that was in vain just now. */
  #attempts(): number {
    const { oldest, count } = this.#inVain;
    this.#inVain = { oldest, count: count + 1 };
    return count + 1;
  }

  #nextDelayMs(): number {
    const delayMs = retryDelayMs(this.#failures, this.#options.random());
    this.#failures += 1;
    return delayMs;
  }

  /** Until then, or `retryNow`, or the stop. */
  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    this.#backoff = new AbortController();
    const abort = (): void => this.#backoff.abort();
    signal.addEventListener('abort', abort, { once: true });
    const { clock, onStatus } = this.#options;
    const waitMs = Math.min(ms, LONGEST_WAIT_MS);
    onStatus({ uploading: false, nextUploadAtMs: clock.now() + waitMs });
    await pause(clock, waitMs, this.#backoff.signal);
    onStatus({ uploading: false, nextUploadAtMs: undefined });
    signal.removeEventListener('abort', abort);
  }
}

function uploadError(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new ClientError('UPLOAD', `uploadData failed: ${text}`, { cause: error });
}
