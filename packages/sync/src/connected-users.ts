import type { Listener } from './bucket-index.ts';

/** A user with at least one session. */
export interface ConnectedUser {
  /** U of spec/protocol.md 5.2. */
  readonly key: string;
  readonly listeners: Set<Listener>;
  /** The highest write checkpoint that was ever reached; never lowered (spec/protocol.md 5.2). */
  readonly value: bigint | undefined;
  /** Resolves once `value` is known. */
  readonly loaded: Promise<void>;
}

/** What a kind of write checkpoints notes of a user besides. */
export interface UserEntry extends ConnectedUser {
  value: bigint | undefined;
  loaded: Promise<void>;
}

/** User -> sessions. */
export class ConnectedUsers<E extends UserEntry> {
  readonly #users = new Map<string, E>();
  readonly #make: (key: string) => E;
  readonly #onGone: (user: E) => void;

  /** `make`: an entry without sessions; `onGone`: told when the last one has left. */
  constructor(make: (key: string) => E, onGone: (user: E) => void = () => {}) {
    this.#make = make;
    this.#onGone = onGone;
  }

  get size(): number {
    return this.#users.size;
  }

  get(key: string): E | undefined {
    return this.#users.get(key);
  }

  keys(): Iterable<string> {
    return this.#users.keys();
  }

  all(): Iterable<E> {
    return this.#users.values();
  }

  /** `load` is called for a user's first session; when it fails, the next one begins anew. */
  join(key: string, listener: Listener, load: (user: E) => Promise<void>): E {
    const known = this.#users.get(key);
    const user = known ?? this.#make(key);
    user.listeners.add(listener);
    if (known !== undefined) return user;
    this.#users.set(key, user);
    user.loaded = load(user);
    // Whoever awaits it sees the failure; nobody may be left to.
    user.loaded.catch(() => this.#forget(user));
    return user;
  }

  leave({ key }: ConnectedUser, listener: Listener): void {
    const user = this.#users.get(key);
    user?.listeners.delete(listener);
    if (user?.listeners.size === 0) this.#forget(user);
  }

  #forget(user: E): void {
    if (this.#users.get(user.key) === user) this.#users.delete(user.key);
    this.#onGone(user);
  }
}

/** Whether that is news. */
export function raise(user: UserEntry, value: bigint): boolean {
  if (user.value !== undefined && value <= user.value) return false;
  user.value = value;
  return true;
}

/** Makes a write checkpoint known to the user's sessions. */
export function raiseAndTell(user: UserEntry, value: bigint): void {
  if (!raise(user, value)) return;
  for (const listener of user.listeners) listener.touch();
}
