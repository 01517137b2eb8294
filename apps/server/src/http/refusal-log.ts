import type { Logger } from '@sluice/base';

/** Between two lines about refusals, which come by the thousand when they come. */
const PAUSE_MS = 5000;

/** Says in the log that clients are refused for lack of room, how many, and what the limit is. */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #limit: number;
  #refused = 0;
  #saidAtMs = -Infinity;

  constructor(logger: Logger, limit: number) {
    this.#logger = logger;
    this.#limit = limit;
  }

  add(nowMs: number): void {
    this.#refused += 1;
    if (nowMs - this.#saidAtMs < PAUSE_MS) return;
    this.#logger.warn('streams_refused', {
      code: 'SYNC_TOO_MANY_CONNECTIONS',
      message: `${this.#limit} clients are connected, as many as api.parameters.max_concurrent_connections allows`,
      refused: this.#refused,
    });
    this.#refused = 0;
    this.#saidAtMs = nowMs;
  }
}
