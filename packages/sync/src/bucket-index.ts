import type { BucketState } from '@sluice/storage';

/** A session as the indexes know it. */
export interface Listener {
  /**
   * Something that the session shows has changed: the state of this bucket, or what is none's. It
   * looks when it comes to it.
   */
  touch(node?: BucketNode): void;
  /** As `touch`, and its set of buckets may be another one. */
  touchLookups(): void;
}

/** The sessions under one bucket or key. Mostly that is one, which is kept without a set. */
export class Listeners {
  #only: Listener | undefined;
  #several: Set<Listener> | undefined;

  constructor(first: Listener) {
    this.#only = first;
  }

  get isEmpty(): boolean {
    return this.#only === undefined && this.#several === undefined;
  }

  add(listener: Listener): void {
    if (this.#several !== undefined) this.#several.add(listener);
    else if (this.#only === undefined) this.#only = listener;
    else if (this.#only !== listener) {
      this.#several = new Set([this.#only, listener]);
      this.#only = undefined;
    }
  }

  delete(listener: Listener): void {
    if (this.#only === listener) this.#only = undefined;
    if (this.#several?.delete(listener) === true && this.#several.size === 0) {
      this.#several = undefined;
    }
  }

  forEach(each: (listener: Listener) => void): void {
    if (this.#only !== undefined) each(this.#only);
    this.#several?.forEach((listener) => each(listener));
  }
}

/** One bucket that at least one session has. */
export interface BucketNode {
  readonly name: string;
  readonly listeners: Listeners;
  /**
   * The state at the feed's checkpoint; undefined while unknown. Sessions keep this very object
   * for what they sent last, so that "unchanged" is one comparison of pointers.
   */
  state: BucketState | undefined;
  /** Counts the checkpoints that changed the bucket. */
  changes: number;
}

/** Bucket -> sessions (design D4): a change costs what it concerns, however many are connected. */
export class BucketIndex {
  readonly #nodes = new Map<string, BucketNode>();

  get size(): number {
    return this.#nodes.size;
  }

  names(): IterableIterator<string> {
    return this.#nodes.keys();
  }

  get(name: string): BucketNode | undefined {
    return this.#nodes.get(name);
  }

  join(name: string, listener: Listener): BucketNode {
    const known = this.#nodes.get(name);
    known?.listeners.add(listener);
    if (known !== undefined) return known;
    const node = { name, listeners: new Listeners(listener), state: undefined, changes: 0 };
    this.#nodes.set(name, node);
    return node;
  }

  leave(node: BucketNode, listener: Listener): void {
    node.listeners.delete(listener);
    if (node.listeners.isEmpty) this.#nodes.delete(node.name);
  }

  /** Those of the changed buckets that anybody has. */
  concerned(changed: ReadonlySet<string> | 'all'): BucketNode[] {
    if (changed === 'all') return [...this.#nodes.values()];
    const [few, many] = changed.size < this.size ? [changed, this.#nodes] : [this.#nodes, changed];
    const found: BucketNode[] = [];
    for (const name of few.keys()) {
      const node = many.has(name) ? this.#nodes.get(name) : undefined;
      if (node !== undefined) found.push(node);
    }
    return found;
  }
}

/** Lookup key -> sessions whose set of buckets depends on it. */
export class LookupIndex {
  readonly #listeners = new Map<string, Listeners>();

  join(key: string, listener: Listener): void {
    const listeners = this.#listeners.get(key);
    if (listeners === undefined) this.#listeners.set(key, new Listeners(listener));
    else listeners.add(listener);
  }

  leave(key: string, listener: Listener): void {
    const listeners = this.#listeners.get(key);
    listeners?.delete(listener);
    if (listeners?.isEmpty === true) this.#listeners.delete(key);
  }

  concerned(changed: ReadonlySet<string> | 'all'): Set<Listener> {
    const found = new Set<Listener>();
    const keys = changed === 'all' ? this.#listeners.keys() : changed.values();
    for (const key of keys) {
      this.#listeners.get(key)?.forEach((listener) => found.add(listener));
    }
    return found;
  }
}
