import { setImmediate } from 'node:timers/promises';
import type { Checkpoint, OpId } from '@sluice/model';
import type { GenerationReader } from '@sluice/storage';
import { writeCheckpointKey } from '@sluice/sync-config';
import type { Listener } from './bucket-index.ts';
import {
  ConnectedUsers,
  raise,
  raiseAndTell,
  type ConnectedUser,
  type UserEntry,
} from './connected-users.ts';
import type { WriteCheckpointIndex, WriteCheckpointNews } from './write-checkpoint-index.ts';

/** Numbers asked for at once. */
const KEYS_PER_CALL = 1000;

interface CustomUser extends UserEntry {
  /** Under which storage keeps the number. */
  readonly lookupKey: string;
  isLoading: boolean;
  /** A checkpoint that changed the number came while it was read at an earlier one. */
  isStale: boolean;
}

/**
 * Write checkpoints that rows of the source make (spec/protocol.md 5.3): numbers in storage, part of the
 * checkpoint that publishes the rows. Only users whose number is among the changes are asked about.
 */
export class CustomWriteCheckpoints implements WriteCheckpointIndex {
  readonly #reader: Pick<GenerationReader, 'lookup'>;
  readonly #users: ConnectedUsers<CustomUser>;
  readonly #byLookupKey = new Map<string, CustomUser>();
  /** To be asked about with the next checkpoint whatever it changes, as reading failed. */
  readonly #missed = new Set<CustomUser>();
  #at: OpId = 0n;

  /** `prefix`: of the write checkpoints of the config that is served. */
  constructor(reader: Pick<GenerationReader, 'lookup'>, prefix: string) {
    this.#reader = reader;
    this.#users = new ConnectedUsers(
      (key) => newUser(key, writeCheckpointKey(prefix, key)),
      (user) => {
        this.#missed.delete(user);
        if (this.#byLookupKey.get(user.lookupKey) === user) {
          this.#byLookupKey.delete(user.lookupKey);
        }
      },
    );
  }

  join(key: string, listener: Listener, { opId }: Checkpoint): ConnectedUser {
    this.#moveTo(opId);
    return this.#users.join(key, listener, (user) => {
      this.#byLookupKey.set(user.lookupKey, user);
      return this.#load(user);
    });
  }

  leave(user: ConnectedUser, listener: Listener): void {
    this.#users.leave(user, listener);
  }

  /** Nobody asks for a write checkpoint that the service manages. */
  recordsChanged(): void {}

  async reachedAt({ checkpoint, lookups }: WriteCheckpointNews): Promise<() => void> {
    const { opId } = checkpoint;
    const asked = new Set([...this.#concerned(lookups), ...this.#missed]);
    const numbers = await this.#numbersOf(asked, opId);
    return () => {
      this.#moveTo(opId);
      for (const user of asked) {
        this.#missed.delete(user);
        const value = numbers.get(user.lookupKey);
        if (value !== undefined) raiseAndTell(user, value);
      }
      // Somebody may have come while the numbers were on their way.
      for (const user of this.#concerned(lookups)) if (!asked.has(user)) this.#loadAgain(user);
    };
  }

  #moveTo(opId: OpId): void {
    if (opId > this.#at) this.#at = opId;
  }

  #loadAgain(user: CustomUser): void {
    user.isStale = true;
    if (user.isLoading) return;
    this.#load(user).then(
      () => user.listeners.forEach((listener) => listener.touch()),
      () => this.#missed.add(user),
    );
  }

  async #load(user: CustomUser): Promise<void> {
    user.isLoading = true;
    try {
      do {
        user.isStale = false;
        const value = (await this.#numbersOf(new Set([user]), this.#at)).get(user.lookupKey);
        if (value !== undefined) raise(user, value);
      } while (user.isStale);
    } finally {
      user.isLoading = false;
    }
  }

  #concerned(lookups: ReadonlySet<string> | 'all'): ReadonlySet<CustomUser> {
    if (lookups === 'all') return new Set(this.#users.all());
    const found = new Set<CustomUser>();
    for (const key of lookups) {
      const user = this.#byLookupKey.get(key);
      if (user !== undefined) found.add(user);
    }
    return found;
  }

  async #numbersOf(users: ReadonlySet<CustomUser>, at: OpId): Promise<ReadonlyMap<string, bigint>> {
    const numbers = new Map<string, bigint>();
    const keys = [...users].map(({ lookupKey }) => lookupKey);
    for (let from = 0; from < keys.length; from += KEYS_PER_CALL) {
      // So many take a while; others have their turn in between.
      if (from > 0) await setImmediate();
      const found = await this.#reader.lookup(keys.slice(from, from + KEYS_PER_CALL), at);
      for (const [key, [digits]] of found)
        if (digits !== undefined) numbers.set(key, BigInt(digits));
    }
    return numbers;
  }
}

function newUser(key: string, lookupKey: string): CustomUser {
  return {
    key,
    lookupKey,
    listeners: new Set(),
    value: undefined,
    loaded: Promise.resolve(),
    isLoading: false,
    isStale: false,
  };
}
