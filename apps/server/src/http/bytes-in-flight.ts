import { SyncError, type Clock } from '@sluice/base';

export interface InFlightLimits {
  /** What all streams together may have handed to their connections without its having left. */
  readonly maxBytes: number;
  /** Above `maxBytes`, a stream that has stood still for so long may be dropped for the others. */
  readonly shedAfterMs: number;
}

/** A stream whose client has not taken what it was sent. */
interface Stalled {
  readonly bytes: number;
  readonly sinceMs: number;
  readonly drop: (reason: SyncError) => void;
}

interface Waiter {
  readonly enter: () => void;
}

/** Batches below this never wait: they are what others are waiting for, and they are small. */
const SMALL_BYTES = 16 * 1024;
const LOOK_AGAIN_MS = 250;

/**
 * The bound on memory that slow readers hold (invariant 9). Every stream has at most one batch on
 * its way; this bounds the sum. When it is used up, large batches wait, in order; those that hold
 * it and do not move give way, the one that has stood longest first.
 */
export class BytesInFlight {
  readonly #limits: InFlightLimits;
  readonly #clock: Clock;
  /** In the order in which they came to a stand. */
  readonly #stalled = new Set<Stalled>();
  #waiting: Waiter[] = [];
  #bytes = 0;
  #isWatched = false;

  constructor(limits: InFlightLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves once a batch of this size may be written; undefined when that is now. */
  room(bytes: number): Promise<void> | undefined {
    const isFull = this.#bytes >= this.#limits.maxBytes || this.#waiting.length > 0;
    if (!isFull || bytes < SMALL_BYTES) return undefined;
    const room = new Promise<void>((enter) => this.#waiting.push({ enter }));
    if (!this.#isWatched) void this.#watch();
    return room;
  }

  /** A batch is on its way and has not left. Returns what to call when it has, or never will. */
  stall(bytes: number, drop: (reason: SyncError) => void): () => void {
    const stalled: Stalled = { bytes, sinceMs: this.#clock.now(), drop };
    this.#stalled.add(stalled);
    this.#bytes += bytes;
    return () => {
      if (!this.#stalled.delete(stalled)) return;
      this.#bytes -= bytes;
      this.#admit();
    };
  }

  #admit(): void {
    if (this.#bytes < this.#limits.maxBytes) this.#waiting.shift()?.enter();
  }

  /** Runs while somebody waits. */
  async #watch(): Promise<void> {
    this.#isWatched = true;
    while (this.#waiting.length > 0) {
      await this.#clock.sleep(LOOK_AGAIN_MS);
      this.#shed();
      // Whoever was let in may have left nothing behind that would let in the next.
      this.#admit();
    }
    this.#isWatched = false;
  }

  #shed(): void {
    const latestMs = this.#clock.now() - this.#limits.shedAfterMs;
    let excess = this.#bytes - this.#limits.maxBytes;
    for (const { bytes, sinceMs, drop } of this.#stalled) {
      if (excess < 0 || sinceMs > latestMs) return;
      excess -= bytes;
      drop(tooSlow(this.#clock.now() - sinceMs, bytes, 'others had to wait for the memory'));
    }
  }
}

/** Why a client was dropped that does not take what it is sent. */
export function tooSlow(ms: number, bytes: number, why: string): SyncError {
  const text = `The client has not taken ${bytes} bytes within ${Math.round(ms)} ms: ${why}`;
  return new SyncError('SYNC_CLIENT_TOO_SLOW', text, { details: { bytes, stalledMs: ms } });
}
