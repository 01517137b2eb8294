import { pause, toAppError, type Clock } from '@sluice/base';
import type { ChangeSource, LogRetention } from '@sluice/source';
import type { Generation } from '@sluice/storage';
import type { Fault, Watch } from './health.ts';
import { budgetFault, budgetLeft } from './log-budget.ts';

export interface SourceMonitorOptions {
  readonly source: ChangeSource;
  readonly generations: () => Promise<readonly Generation[]>;
  /** Whether replication waits out a failure, which says more than what could be found here. */
  readonly isWaiting: () => boolean;
  readonly clock: Clock;
}

const ASK_MS = 5000;
/** An answer that takes longer than this does not come at all. */
const LATE_MS = 10_000;

/** Asks the source every few seconds whether it answers, and how much of its log it still keeps. */
export class SourceMonitor {
  readonly #options: SourceMonitorOptions;
  #askedAtMs: number | undefined;
  #failure: Fault | undefined;
  #retentions: readonly LogRetention[] = [];

  constructor(options: SourceMonitorOptions) {
    this.#options = options;
  }

  /** What the source keeps, for the slot with the least left. */
  get scarcest(): LogRetention | undefined {
    return this.#retentions.toSorted((a, b) => left(a) - left(b))[0];
  }

  readonly answers: Watch = {
    component: 'source',
    fails: [],
    check: (nowMs) => {
      if (this.#options.isWaiting()) return undefined;
      const silentMs = this.#askedAtMs === undefined ? 0 : nowMs - this.#askedAtMs;
      if (silentMs <= LATE_MS) return this.#failure;
      const seconds = Math.round(silentMs / 1000);
      const message = `The source has not answered for ${seconds} s`;
      return { code: 'SOURCE_TIMEOUT', message };
    },
  };

  readonly budget: Watch = {
    component: 'log_budget',
    fails: [],
    check: () => {
      const { scarcest } = this;
      return scarcest && budgetFault(scarcest);
    },
  };

  /** Until the signal. One question at a time: the source has limits of its own for an answer. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.#options.isWaiting()) await this.#ask();
      await pause(this.#options.clock, ASK_MS, signal);
    }
  }

  async #ask(): Promise<void> {
    const { source, generations, clock } = this.#options;
    this.#askedAtMs = clock.now();
    try {
      const handles = (await generations()).flatMap(({ sourceHandle }) => sourceHandle ?? []);
      const all = await Promise.all(handles.map((handle) => source.logRetention(handle)));
      this.#retentions = all.filter((retention) => retention !== undefined);
      await source.head();
      this.#failure = undefined;
    } catch (error) {
      const { code, message, remedy } = toAppError(error);
      // What is wrong with storage is told where it is opened.
      this.#failure = code.startsWith('SOURCE_') ? { code, message, remedy } : undefined;
    } finally {
      this.#askedAtMs = undefined;
    }
  }
}

function left(retention: LogRetention): number {
  return budgetLeft(retention) ?? Infinity;
}
