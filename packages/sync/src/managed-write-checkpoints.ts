import type { Checkpoint, SourcePosition } from '@sluice/model';
import type { WriteCheckpointStore } from '@sluice/storage';
import type { Listener } from './bucket-index.ts';
import {
  ConnectedUsers,
  raise,
  raiseAndTell,
  type ConnectedUser,
  type UserEntry,
} from './connected-users.ts';
import type { WriteCheckpointIndex, WriteCheckpointNews } from './write-checkpoint-index.ts';

/** Behind every source position: asks for records whatever they wait for. */
const END_OF_TIME: SourcePosition = '~';

interface ManagedUser extends UserEntry {
  /** Counts changes of the record, so that an answer from before one does not settle it. */
  changes: number;
}

/**
 * Write checkpoints that the service manages (spec/protocol.md 5.2). Only users whose record waits for
 * a source position are asked about when a checkpoint comes.
 */
export class ManagedWriteCheckpoints implements WriteCheckpointIndex {
  readonly #store: WriteCheckpointStore;
  readonly #users: ConnectedUsers<ManagedUser>;
  readonly #waiting = new Set<ManagedUser>();

  constructor(store: WriteCheckpointStore) {
    this.#store = store;
    this.#users = new ConnectedUsers(newUser, (user) => this.#waiting.delete(user));
  }

  join(key: string, listener: Listener, { position }: Checkpoint): ConnectedUser {
    return this.#users.join(key, listener, (user) => {
      this.#waiting.add(user);
      return this.#load(user, position);
    });
  }

  leave(user: ConnectedUser, listener: Listener): void {
    this.#users.leave(user, listener);
  }

  async #load(user: ManagedUser, position: SourcePosition): Promise<void> {
    const { changes } = user;
    const keys = [user.key];
    const reached = (await this.#store.reached(keys, position)).get(user.key);
    if (reached === undefined) {
      const hasRecord = (await this.#store.reached(keys, END_OF_TIME)).size > 0;
      if (!hasRecord && user.changes === changes) this.#waiting.delete(user);
      return;
    }
    raise(user, reached);
    if (user.changes === changes) this.#waiting.delete(user);
  }

  recordsChanged(keys: ReadonlySet<string> | 'all'): void {
    const changed = keys === 'all' ? this.#users.keys() : keys;
    for (const key of changed) {
      const user = this.#users.get(key);
      if (user === undefined) continue;
      user.changes += 1;
      this.#waiting.add(user);
    }
  }

  async reachedAt({ checkpoint }: WriteCheckpointNews): Promise<() => void> {
    if (this.#waiting.size === 0) return () => {};
    const asked = new Map([...this.#waiting].map((user) => [user, user.changes]));
    const reached = await this.#store.reached(
      [...asked.keys()].map((user) => user.key),
      checkpoint.position,
    );
    return () => {
      for (const [user, changes] of asked) {
        const value = reached.get(user.key);
        if (value === undefined) continue;
        if (user.changes === changes) this.#waiting.delete(user);
        raiseAndTell(user, value);
      }
    };
  }
}

function newUser(key: string): ManagedUser {
  return { key, listeners: new Set(), value: undefined, loaded: Promise.resolve(), changes: 0 };
}
