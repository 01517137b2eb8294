import { must } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import type { WriteCheckpointStore } from '@sluice/storage';
import type { Listener } from './bucket-index.ts';

/** Behind every source position: asks for records whatever they wait for. */
const END_OF_TIME: SourcePosition = '~';

/** A user with at least one session. */
export interface ConnectedUser {
  readonly key: string;
  readonly listeners: Set<Listener>;
  /** The highest write checkpoint that was ever reached; never lowered (spec/protocol.md 5.2). */
  value: bigint | undefined;
  /** Resolves once `value` is known. */
  readonly loaded: Promise<void>;
}

interface UserEntry extends ConnectedUser {
  loaded: Promise<void>;
  /** Counts changes of the record, so that an answer from before one does not settle it. */
  changes: number;
}

/**
 * User -> sessions, with the write checkpoint of each. Only users whose record waits for a source
 * position are asked about when a checkpoint comes; everybody else costs nothing.
 */
export class WriteCheckpointIndex {
  readonly #store: WriteCheckpointStore;
  readonly #users = new Map<string, UserEntry>();
  readonly #waiting = new Set<UserEntry>();

  constructor(store: WriteCheckpointStore) {
    this.#store = store;
  }

  join(key: string, listener: Listener, position: SourcePosition): ConnectedUser {
    let user = this.#users.get(key);
    if (user === undefined) {
      user = {
        key,
        listeners: new Set(),
        value: undefined,
        loaded: Promise.resolve(),
        changes: 0,
      };
      this.#users.set(key, user);
      this.#waiting.add(user);
      user.loaded = this.#load(user, position);
      // Whoever awaits it sees the failure; nobody may be left to.
      user.loaded.catch(() => this.#forget(must(user)));
    }
    user.listeners.add(listener);
    return user;
  }

  leave(user: ConnectedUser, listener: Listener): void {
    user.listeners.delete(listener);
    const entry = this.#users.get(user.key);
    if (entry === user && user.listeners.size === 0) this.#forget(entry);
  }

  #forget(user: UserEntry): void {
    if (this.#users.get(user.key) === user) this.#users.delete(user.key);
    this.#waiting.delete(user);
  }

  async #load(user: UserEntry, position: SourcePosition): Promise<void> {
    const { changes } = user;
    const keys = [user.key];
    const reached = (await this.#store.reached(keys, position)).get(user.key);
    if (reached === undefined) {
      const hasRecord = (await this.#store.reached(keys, END_OF_TIME)).size > 0;
      if (!hasRecord && user.changes === changes) this.#waiting.delete(user);
      return;
    }
    this.#raise(user, reached);
    if (user.changes === changes) this.#waiting.delete(user);
  }

  /** Records have changed; `all` when it is not known which. */
  recordsChanged(keys: ReadonlySet<string> | 'all'): void {
    const changed = keys === 'all' ? this.#users.keys() : keys.values();
    for (const key of changed) {
      const user = this.#users.get(key);
      if (user === undefined) continue;
      user.changes += 1;
      this.#waiting.add(user);
    }
  }

  /**
   * Finds out whose write checkpoints are reached at `position`. The function it resolves with
   * makes that known to their sessions, and is to be called once `position` is theirs too.
   */
  async reachedAt(position: SourcePosition): Promise<() => void> {
    if (this.#waiting.size === 0) return () => {};
    const asked = new Map([...this.#waiting].map((user) => [user, user.changes]));
    const reached = await this.#store.reached(
      [...asked.keys()].map((user) => user.key),
      position,
    );
    return () => {
      for (const [user, changes] of asked) {
        const value = reached.get(user.key);
        if (value === undefined) continue;
        if (user.changes === changes) this.#waiting.delete(user);
        if (!this.#raise(user, value)) continue;
        for (const listener of user.listeners) listener.touch();
      }
    };
  }

  #raise(user: UserEntry, value: bigint): boolean {
    if (user.value !== undefined && value <= user.value) return false;
    user.value = value;
    return true;
  }
}
