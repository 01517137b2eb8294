import { StorageError } from '@sluice/base';
import type { Checkpoint } from '@sluice/model';
import type { BucketStorage, GenerationWriter, WriteBatch } from '@sluice/storage';

export interface StorageFaults {
  /** Whether the write fails; `after`: it is durable all the same. */
  readonly fault: () => 'before' | 'after' | undefined;
  readonly onWrite: (generationId: number, batch: WriteBatch) => void;
  readonly onCheckpoint: (checkpoint: Checkpoint, generationId: number) => Promise<void>;
}

/** Storage whose writes fail at times, as a crash before or after them would have it. */
export function faultyStorage(storage: BucketStorage, faults: StorageFaults): BucketStorage {
  return new Proxy(storage, {
    get(target, key) {
      if (key === 'openWriter') {
        return async (id: number) => faultyWriter(await target.openWriter(id), id, faults);
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function faultyWriter(writer: GenerationWriter, id: number, faults: StorageFaults) {
  const write = async (batch: WriteBatch): Promise<Checkpoint | undefined> => {
    const fault = faults.fault();
    if (fault === 'before') throw new StorageError('STORAGE_UNAVAILABLE', 'Simulated crash');
    const checkpoint = await writer.write(batch);
    faults.onWrite(id, batch);
    if (checkpoint !== undefined) await faults.onCheckpoint(checkpoint, id);
    if (fault === 'after') throw new StorageError('STORAGE_UNAVAILABLE', 'Simulated crash');
    return checkpoint;
  };
  return new Proxy(writer, {
    get(target, key) {
      if (key === 'write') return write;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
