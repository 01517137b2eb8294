import { StorageError } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import type { CheckpointRequest, WriteCheckpointStore } from '@sluice/storage';
import type { MemoryDisk } from './memory-data.ts';

const MAX_VALUE = 2n ** 63n - 1n;

export class MemoryWriteCheckpoints implements WriteCheckpointStore {
  readonly #disk: MemoryDisk;
  readonly #closing: AbortSignal;

  constructor(disk: MemoryDisk, closing: AbortSignal) {
    this.#disk = disk;
    this.#closing = closing;
  }

  async create(user: string, head: SourcePosition): Promise<bigint> {
    this.#check();
    let value = (this.#disk.writeCheckpoints.get(user)?.value ?? 0n) + 1n;
    if (value > MAX_VALUE) value = MAX_VALUE;
    this.#disk.writeCheckpoints.set(user, { value, head });
    this.#disk.userFeed.publish(new Set([user]));
    return value;
  }

  async request(user: string, { id, head, requestedAtMs }: CheckpointRequest): Promise<bigint> {
    this.#check();
    const before = this.#disk.writeCheckpoints.get(user);
    if (before !== undefined && id < before.value) return before.value;
    if (before?.value === id) {
      this.#disk.writeCheckpoints.set(user, { ...before, requestedAtMs });
      return id;
    }
    this.#disk.writeCheckpoints.set(user, { value: id, head, requestedAtMs });
    this.#disk.userFeed.publish(new Set([user]));
    return id;
  }

  async expireRequests(beforeMs: number): Promise<number> {
    this.#check();
    let expired = 0;
    for (const [user, { requestedAtMs }] of this.#disk.writeCheckpoints) {
      if (requestedAtMs === undefined || requestedAtMs >= beforeMs) continue;
      this.#disk.writeCheckpoints.delete(user);
      expired += 1;
    }
    return expired;
  }

  async reached(
    users: readonly string[],
    position: SourcePosition,
  ): Promise<ReadonlyMap<string, bigint>> {
    this.#check();
    const values = new Map<string, bigint>();
    for (const user of users) {
      const record = this.#disk.writeCheckpoints.get(user);
      if (record !== undefined && record.head <= position) values.set(user, record.value);
    }
    return values;
  }

  watch(signal: AbortSignal): AsyncIterable<ReadonlySet<string>> {
    this.#check();
    return this.#disk.userFeed.subscribe(AbortSignal.any([signal, this.#closing]));
  }

  #check(): void {
    if (this.#closing.aborted) throw new StorageError('STORAGE_CLOSED', 'Storage is closed');
  }
}
