import { splitDocuments } from '@sluice/protocol';
import type { StallLimit } from './stall-limit.ts';

const MAX_CREDIT = 2 ** 31 - 1;

/**
 * One stream of lines under RSocket's flow control: every line costs a credit, and nothing is read
 * or sent without one (spec/protocol.md 3.6). Clients grant more when they have taken what they were
 * sent, so one that leaves a stream without credit for long is a slow reader.
 */
export class CreditedStream {
  #credit: number;
  #wake: () => void = () => {};
  readonly #cancelled = new AbortController();
  readonly #stalls: StallLimit;

  constructor(initialCredit: number, stalls: StallLimit) {
    this.#credit = initialCredit;
    this.#stalls = stalls;
  }

  /** Aborts when the client wants no more. */
  get signal(): AbortSignal {
    return this.#cancelled.signal;
  }

  grant(lines: number): void {
    this.#credit = Math.min(MAX_CREDIT, this.#credit + lines);
    this.#wake();
  }

  cancel(): void {
    this.#cancelled.abort();
    this.#wake();
  }

  /**
   * Sends what `batches` gives, line by line, until its end or `cancel`. `sendLine` resolves when
   * there is room for the next one.
   *
   * @throws SyncError `SYNC_CLIENT_TOO_SLOW`; whatever the arguments throw.
   */
  async run(
    batches: AsyncIterator<readonly Uint8Array[]>,
    sendLine: (parts: readonly Uint8Array[]) => Promise<void>,
  ): Promise<void> {
    while (await this.#hasCredit(0)) {
      const batch = await batches.next();
      if (batch.done) return;
      let bytesLeft = byteLength(batch.value);
      await this.#stalls.room(bytesLeft);
      for (const line of splitDocuments(batch.value)) {
        if (!(await this.#hasCredit(bytesLeft))) return;
        this.#credit -= 1;
        await sendLine(line);
        bytesLeft -= byteLength(line);
      }
    }
  }

  /** Waits for credit while so much waits for the client; false once cancelled. */
  async #hasCredit(bytes: number): Promise<boolean> {
    if (this.#credit <= 0 && !this.signal.aborted) {
      await this.#stalls.untilTaken(this.#granted(), bytes, 'it grants no credit');
    }
    return !this.signal.aborted;
  }

  async #granted(): Promise<void> {
    while (this.#credit <= 0 && !this.signal.aborted) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

function byteLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}
