/** SQLite's levels of a lock on a file. */
const LOCK = { none: 0, shared: 1, reserved: 2, pending: 3, exclusive: 4 } as const;

/**
 * The locks that the connections of this thread have on one file. No other thread can have the file open, so nothing waits: what cannot be had
 * is refused at once. See "File Locking And Concurrency In SQLite".
 */
export class FileLocks {
  readonly #levels = new Map<number, number>();

  /** False: busy. `owner` stands for one connection's open file. */
  lock(owner: number, level: number): boolean {
    const own = this.#levels.get(owner) ?? LOCK.none;
    if (level <= own) return true;
    const others = this.#highestOf(owner);
    if (level === LOCK.shared) return this.#take(owner, level, others < LOCK.pending);
    if (level === LOCK.reserved) return this.#take(owner, level, others < LOCK.reserved);
    if (others >= LOCK.reserved) return false;
    // Nobody new begins to read; who reads already is waited for by asking again.
    this.#levels.set(owner, LOCK.pending);
    return this.#take(owner, level, others === LOCK.none);
  }

  unlock(owner: number, level: number): void {
    if (level === LOCK.none) this.#levels.delete(owner);
    else this.#levels.set(owner, level);
  }

  get isReserved(): boolean {
    return [...this.#levels.values()].some((level) => level >= LOCK.reserved);
  }

  #take(owner: number, level: number, isFree: boolean): boolean {
    if (isFree) this.#levels.set(owner, level);
    return isFree;
  }

  #highestOf(notThisOne: number): number {
    let highest: number = LOCK.none;
    for (const [owner, level] of this.#levels) {
      if (owner !== notThisOne) highest = Math.max(highest, level);
    }
    return highest;
  }
}
