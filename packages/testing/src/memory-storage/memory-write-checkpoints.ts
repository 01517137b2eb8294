import { StorageError } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import type { WriteCheckpointStore } from '@sluice/storage';
import type { MemoryDisk } from './memory-data.ts';

export class MemoryWriteCheckpoints implements WriteCheckpointStore {
  readonly #disk: MemoryDisk;
  readonly #closing: AbortSignal;

  constructor(disk: MemoryDisk, closing: AbortSignal) {
    this.#disk = disk;
    this.#closing = closing;
  }

  async create(user: string, head: SourcePosition): Promise<bigint> {
    this.#check();
    const value = (this.#disk.writeCheckpoints.get(user)?.value ?? 0n) + 1n;
    this.#disk.writeCheckpoints.set(user, { value, head });
    this.#disk.userFeed.publish(new Set([user]));
    return value;
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
