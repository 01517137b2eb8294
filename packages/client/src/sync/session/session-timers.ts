import { pause, type ClientClock } from '../../clock.ts';
import type { TimerName } from '../machine/events.ts';

/** The timers that the machine names: each runs once at a time. */
export class SessionTimers {
  readonly #clock: ClientClock;
  readonly #running = new Map<TimerName, AbortController>();

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  /** From now on; false if it was stopped, or started anew, meanwhile. */
  elapsed(timer: TimerName, ms: number): Promise<boolean> {
    this.stop(timer);
    const controller = new AbortController();
    this.#running.set(timer, controller);
    return pause(this.#clock, ms, controller.signal);
  }

  stop(timer: TimerName): void {
    this.#running.get(timer)?.abort();
  }
}
