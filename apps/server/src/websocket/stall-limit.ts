import { tooSlow, type BytesInFlight } from '../http/bytes-in-flight.ts';

export interface StallLimitOptions {
  readonly inFlight: BytesInFlight;
  /** How long a client may take nothing of what it was sent, or is to be sent. */
  readonly timeoutMs: number;
}

/** A message may be larger than what leaves at once; each such part of it has the time of one. */
const BYTES_PER_TIMEOUT = 1 << 20;

/** How long a stream waits for its client, as for readers over HTTP (`StreamWriter`). */
export class StallLimit {
  readonly #options: StallLimitOptions;

  constructor(options: StallLimitOptions) {
    this.#options = options;
  }

  /** Resolves once a batch of this size may be sent; undefined when that is now. */
  room(bytes: number): Promise<void> | undefined {
    return this.#options.inFlight.room(bytes);
  }

  /**
   * Until `taken`, which the client brings about. `bytes` are held for it meanwhile; they count
   * towards what all slow readers together may hold.
   *
   * @throws SyncError `SYNC_CLIENT_TOO_SLOW`.
   */
  async untilTaken(taken: Promise<void>, bytes: number, why: string): Promise<void> {
    const { inFlight, timeoutMs } = this.#options;
    const allowedMs = timeoutMs * Math.max(1, Math.ceil(bytes / BYTES_PER_TIMEOUT));
    let drop: (reason: Error) => void = () => {};
    const dropped = new Promise<never>((_resolve, reject) => (drop = reject));
    const left = inFlight.stall(bytes, drop);
    const timer = setTimeout(() => drop(tooSlow(allowedMs, bytes, why)), allowedMs);
    try {
      await Promise.race([taken, dropped]);
    } finally {
      clearTimeout(timer);
      left();
    }
  }
}
