/** Rows per second while tables are read: what a deploy can be expected to take. */
export class ReadingRate {
  #began: { readonly atMs: number; readonly rows: number } | undefined;
  #rowsPerSecond: number | undefined;

  /** Takes a sample of a counter of rows; `isReading` says whether tables are read now. */
  add(atMs: number, rows: number, isReading: boolean): void {
    // The counter begins anew with each attempt of the replicator.
    if (!isReading || rows < (this.#began?.rows ?? 0)) this.#began = undefined;
    if (!isReading) return;
    this.#began ??= { atMs, rows };
    const elapsedMs = atMs - this.#began.atMs;
    const read = rows - this.#began.rows;
    if (elapsedMs >= SHORTEST_MS && read > 0) this.#rowsPerSecond = (read * 1000) / elapsedMs;
  }

  /** Of the last time; undefined when nothing was read for long enough to tell. */
  get rowsPerSecond(): number | undefined {
    return this.#rowsPerSecond;
  }
}

const SHORTEST_MS = 500;
