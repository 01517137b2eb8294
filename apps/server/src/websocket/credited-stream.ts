import { splitDocuments } from '@sluice/protocol';

const MAX_CREDIT = 2 ** 31 - 1;

/**
 * One stream of lines under RSocket's flow control: every line costs a credit, and nothing is read
 * or sent without one (spec/protocol.md 3.6).
 */
export class CreditedStream {
  #credit: number;
  #wake: () => void = () => {};
  readonly #cancelled = new AbortController();

  constructor(initialCredit: number) {
    this.#credit = initialCredit;
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
   */
  async run(
    batches: AsyncIterator<readonly Uint8Array[]>,
    sendLine: (parts: readonly Uint8Array[]) => Promise<void>,
  ): Promise<void> {
    while (await this.#hasCredit()) {
      const batch = await batches.next();
      if (batch.done) return;
      for (const line of splitDocuments(batch.value)) {
        if (!(await this.#hasCredit())) return;
        this.#credit -= 1;
        await sendLine(line);
      }
    }
  }

  /** Waits for credit; false once cancelled. */
  async #hasCredit(): Promise<boolean> {
    while (this.#credit <= 0 && !this.signal.aborted) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return !this.signal.aborted;
  }
}
