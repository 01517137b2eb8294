import { pause, toAppError, type Clock, type Logger } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import type { Fault, Watch } from '../watchdog/health.ts';

export interface CanaryOptions {
  /** The newest position of the source, and something harmless that is written behind it. */
  readonly source: {
    head(): Promise<SourcePosition>;
    mark(): Promise<void>;
  };
  /** Resolves once clients are told of a checkpoint beyond `position` (`SyncHub.passed`). */
  readonly passed: (position: SourcePosition, signal: AbortSignal) => Promise<void>;
  /** Whether changes flow, so that a canary can arrive at all; else none is sent. */
  readonly isFlowing: () => boolean;
  readonly intervalMs: number;
  /** Longer than this is called slow. */
  readonly thresholdMs: number;
  readonly onSeen: (tookMs: number) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface CanaryCounts {
  readonly sent: number;
  readonly lost: number;
  /** Time of the last one that arrived. */
  readonly lastMs: number | undefined;
}

/** One that has not arrived after so many times the threshold, or this time, is lost. */
const LOST_THRESHOLDS = 3;
const MIN_LOST_MS = 15_000;
/** After a slow or lost one the next follows soon, to see when it is over. */
const RETRY_MS = 5000;

/**
 * Measures from end to end: writes a mark to the source's log, which needs no table, and takes the
 * time until clients would be told of what was committed with it. What goes all the way through
 * shows what no part of it can say of itself (design D10).
 */
export class Canary {
  readonly #options: CanaryOptions;
  readonly #lostMs: number;
  #sentAtMs: number | undefined;
  #fault: Fault | undefined;
  #sent = 0;
  #lost = 0;
  #lastMs: number | undefined;

  constructor(options: CanaryOptions) {
    this.#options = options;
    this.#lostMs = Math.max(MIN_LOST_MS, LOST_THRESHOLDS * options.thresholdMs);
  }

  get counts(): CanaryCounts {
    return { sent: this.#sent, lost: this.#lost, lastMs: this.#lastMs };
  }

  readonly watch: Watch = {
    component: 'canary',
    fails: [],
    check: (nowMs) => {
      const outMs = this.#sentAtMs === undefined ? 0 : nowMs - this.#sentAtMs;
      return outMs >= this.#lostMs ? lost(outMs) : this.#fault;
    },
  };

  /** Sends one after the other until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, isFlowing } = this.#options;
    while (!signal.aborted) {
      const isWell = this.#fault === undefined;
      await pause(clock, isWell ? intervalMs : Math.min(intervalMs, RETRY_MS), signal);
      if (signal.aborted) return;
      if (isFlowing()) await this.#send(signal);
      else this.#fault = undefined; // why nothing flows is told by others
    }
  }

  async #send(signal: AbortSignal): Promise<void> {
    const { clock, source, passed } = this.#options;
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    const sentAtMs = clock.now();
    this.#sent += 1;
    this.#sentAtMs = sentAtMs;
    try {
      const arrived = this.#travel(either, source, passed);
      arrived.catch(() => {}); // looked at below, unless the time is over first
      const late = pause(clock, this.#lostMs, either).then(() => undefined);
      const tookMs = await Promise.race([arrived, late]);
      if (!signal.aborted) this.#note(tookMs, clock.now() - sentAtMs);
    } catch (error) {
      this.#failed(error, signal);
    } finally {
      this.#sentAtMs = undefined;
      ended.abort();
    }
  }

  /** Milliseconds from just before the commit until clients are told. */
  async #travel(
    signal: AbortSignal,
    source: CanaryOptions['source'],
    passed: CanaryOptions['passed'],
  ): Promise<number> {
    const before = await source.head();
    const startedAtMs = performance.now();
    // The mark lies behind `before`, so a checkpoint beyond that shows it, or waits for it.
    await Promise.all([source.mark(), passed(before, signal)]);
    return performance.now() - startedAtMs;
  }

  #note(tookMs: number | undefined, outMs: number): void {
    const { thresholdMs, onSeen } = this.#options;
    if (tookMs === undefined) {
      this.#lost += 1;
      this.#fault = lost(outMs);
      return;
    }
    this.#lastMs = tookMs;
    onSeen(tookMs);
    this.#fault = tookMs > thresholdMs ? slow(tookMs, thresholdMs) : undefined;
  }

  #failed(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#lost += 1;
    const { code, message, remedy } = toAppError(error);
    this.#options.logger.debug('canary_failed', { code, message });
    this.#fault = { code, message, remedy };
  }
}

function lost(outMs: number): Fault {
  const seconds = Math.round(outMs / 1000);
  const message = `A mark in the source's log has not reached clients for ${seconds} s`;
  return { code: 'HEALTH_CANARY_LOST', message };
}

function slow(tookMs: number, thresholdMs: number): Fault {
  const took = `${Math.round(tookMs)} ms`;
  const message = `A change took ${took} from its commit to clients, more than ${thresholdMs} ms`;
  return { code: 'HEALTH_CANARY_SLOW', message };
}
