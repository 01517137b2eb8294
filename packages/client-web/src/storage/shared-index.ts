const SLOTS = 8;
/** Flags of xShmLock. */
const SHM = { unlock: 1, lock: 2, shared: 4, exclusive: 8 } as const;

/** Where the regions' memory comes from. */
export interface RegionMemory {
  /** Zeroed. */
  allocate(bytes: number): number;
  free(pointer: number): void;
}

/**
 * The index of one file's write-ahead log, which SQLite shares between connections: as all of them are in one module, it is a piece of that
 * module's memory, and its locks are a table. It is gone with the last connection, and made anew from the log by the next.
 */
export class SharedIndex {
  readonly #memory: RegionMemory;
  readonly #users = new Set<number>();
  #regions: number[] = [];
  readonly #readers = Array.from({ length: SLOTS }, () => new Set<number>());
  readonly #writers = new Map<number, number>();

  constructor(memory: RegionMemory) {
    this.#memory = memory;
  }

  /** The address of a region; 0 if it is not there and shall not be made. */
  map(owner: number, region: number, bytes: number, extend: boolean): number {
    this.#users.add(owner);
    while (extend && this.#regions.length <= region) {
      this.#regions.push(this.#memory.allocate(bytes));
    }
    return this.#regions[region] ?? 0;
  }

  /** False: busy. Takes, or gives back, all of `count` slots from `first` on. */
  lock(owner: number, first: number, count: number, flags: number): boolean {
    const slots = Array.from({ length: count }, (_, at) => first + at);
    if ((flags & SHM.unlock) !== 0) {
      for (const slot of slots) this.#release(owner, slot);
      return true;
    }
    const isShared = (flags & SHM.shared) !== 0;
    if (!slots.every((slot) => this.#isFree(owner, slot, isShared))) return false;
    for (const slot of slots) {
      if (isShared) this.#readers[slot]?.add(owner);
      else this.#writers.set(slot, owner);
    }
    return true;
  }

  unmap(owner: number): void {
    this.#users.delete(owner);
    for (let slot = 0; slot < SLOTS; slot++) this.#release(owner, slot);
    if (this.#users.size > 0) return;
    for (const pointer of this.#regions) this.#memory.free(pointer);
    this.#regions = [];
  }

  #release(owner: number, slot: number): void {
    this.#readers[slot]?.delete(owner);
    if (this.#writers.get(slot) === owner) this.#writers.delete(slot);
  }

  #isFree(owner: number, slot: number, isShared: boolean): boolean {
    const writer = this.#writers.get(slot);
    if (writer !== undefined && writer !== owner) return false;
    if (isShared) return true;
    return [...(this.#readers[slot] ?? [])].every((reader) => reader === owner);
  }
}
