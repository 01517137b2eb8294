import { ERROR_TABLE, pause, type Clock, type ErrorCode, type Logger } from '@sluice/base';

/** The parts of the service that can be unwell, as metrics and probes name them. */
export type Component =
  'replicator' | 'replication' | 'sync_feed' | 'keepalives' | 'source' | 'log_budget' | 'canary';

export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  /** Default: what the error table says. */
  readonly remedy?: string | undefined;
  /** Whether somebody else has logged it already. */
  readonly isLogged?: boolean | undefined;
}

/** Looks at one part of the service. Called about once a second, and by every probe. */
export interface Watch {
  readonly component: Component;
  /** The probes that fail with it. Only what a restart can cure fails liveness. */
  readonly fails: readonly ('liveness' | 'readiness')[];
  check(nowMs: number): Fault | undefined;
}

export interface Problem extends Fault {
  readonly component: Component;
  readonly sinceMs: number;
}

export interface HealthOptions {
  readonly watches: readonly Watch[];
  readonly clock: Clock;
  readonly logger: Logger;
}

const CHECK_MS = 1000;
/** A process that was suspended looks stalled to itself until its loops have turned once. */
const CHECKS_BEFORE_LOG = 2;

interface Seen {
  readonly sinceMs: number;
  readonly checks: number;
  readonly code: ErrorCode;
}

/** What is wrong with the service now (design D10), for probes, metrics and the log. */
export class Health {
  readonly #options: HealthOptions;
  #seen: ReadonlyMap<Component, Seen> = new Map();

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** Looked up at the moment of the call, so that it is true also when the loop below is stuck. */
  problems(): readonly Problem[] {
    const nowMs = this.#options.clock.now();
    return this.#options.watches.flatMap((watch) => {
      const fault = watch.check(nowMs);
      if (fault === undefined) return [];
      const { component } = watch;
      return [{ ...fault, component, sinceMs: this.#seen.get(component)?.sinceMs ?? nowMs }];
    });
  }

  /** Whether a probe that depends on the loops may succeed. */
  passes(probe: 'liveness' | 'readiness'): boolean {
    const nowMs = this.#options.clock.now();
    return this.#options.watches.every(
      (watch) => !watch.fails.includes(probe) || watch.check(nowMs) === undefined,
    );
  }

  /** Logs what begins and what is over, until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#note();
      await pause(this.#options.clock, CHECK_MS, signal);
    }
  }

  #note(): void {
    const seen = new Map<Component, Seen>();
    for (const problem of this.problems()) {
      const { component, code, sinceMs } = problem;
      const before = this.#seen.get(component);
      const checks = before?.code === code ? before.checks + 1 : 1;
      seen.set(component, { sinceMs, checks, code });
      if (checks === CHECKS_BEFORE_LOG && problem.isLogged !== true) this.#log(problem);
    }
    for (const [component, { checks, code }] of this.#seen) {
      if (seen.has(component) || checks < CHECKS_BEFORE_LOG) continue;
      this.#options.logger.info('health_recovered', { component, after: code });
    }
    this.#seen = seen;
  }

  #log({ component, code, message, remedy }: Problem): void {
    const entry = ERROR_TABLE[code];
    const facts = { component, code, message, remedy: remedy ?? entry.remedy };
    this.#options.logger[entry.logLevel]('health_problem', facts);
  }
}
