/** Operations per second over the last seconds, from samples of a counter that only grows. */
export class OperationRate {
  readonly #samples: { readonly atMs: number; readonly opId: bigint }[] = [];

  add(atMs: number, opId: bigint): void {
    this.#samples.push({ atMs, opId });
    this.#forget(atMs);
  }

  perSecond(nowMs: number): number {
    this.#forget(nowMs);
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || nowMs <= first.atMs) return 0;
    return Number(last.opId - first.opId) / Math.max(1, (nowMs - first.atMs) / 1000);
  }

  /** The newest sample always stays: it is where the counter stands. */
  #forget(nowMs: number): void {
    while (this.#samples.length > 1 && (this.#samples[0]?.atMs ?? nowMs) < nowMs - WINDOW_MS) {
      this.#samples.shift();
    }
  }
}

const WINDOW_MS = 5000;
