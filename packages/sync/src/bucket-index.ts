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

/** One bucket that at least one session has. */
export interface BucketNode {
  readonly name: string;
  readonly listeners: Set<Listener>;
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
    let node = this.#nodes.get(name);
    if (node === undefined) {
      node = { name, listeners: new Set(), state: undefined, changes: 0 };
      this.#nodes.set(name, node);
    }
    node.listeners.add(listener);
    return node;
  }

  leave(node: BucketNode, listener: Listener): void {
    node.listeners.delete(listener);
    if (node.listeners.size === 0) this.#nodes.delete(node.name);
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
  readonly #listeners = new Map<string, Set<Listener>>();

  join(key: string, listener: Listener): void {
    const listeners = this.#listeners.get(key);
    if (listeners === undefined) this.#listeners.set(key, new Set([listener]));
    else listeners.add(listener);
  }

  leave(key: string, listener: Listener): void {
    const listeners = this.#listeners.get(key);
    if (listeners?.delete(listener) === true && listeners.size === 0) this.#listeners.delete(key);
  }

  concerned(changed: ReadonlySet<string> | 'all'): Set<Listener> {
    const found = new Set<Listener>();
    const keys = changed === 'all' ? this.#listeners.keys() : changed.values();
    for (const key of keys) {
      for (const listener of this.#listeners.get(key) ?? []) found.add(listener);
    }
    return found;
  }
}
