import { StorageError } from '@sluice/base';
import type {
  BucketStorage,
  Generation,
  GenerationReader,
  GenerationWriter,
  NewGeneration,
  StorageStats,
  WriteCheckpointStore,
} from '@sluice/storage';
import { ConflatedFeed } from './conflated-feed.ts';
import { emptyContent, MemoryDisk, mergeDeltas, type StoredGeneration } from './memory-data.ts';
import { MemoryReader } from './memory-reader.ts';
import { MemoryWriter } from './memory-writer.ts';
import { MemoryWriteCheckpoints } from './memory-write-checkpoints.ts';

/**
 * Bucket storage in plain arrays: the reference that other implementations are measured by, and
 * good enough for tests of what stands on storage. Several instances may share one `MemoryDisk`,
 * as processes share a database.
 */
export class MemoryStorage implements BucketStorage {
  readonly disk: MemoryDisk;
  readonly writeCheckpoints: WriteCheckpointStore;
  readonly #closing = new AbortController();

  constructor(disk: MemoryDisk = new MemoryDisk()) {
    this.disk = disk;
    this.writeCheckpoints = new MemoryWriteCheckpoints(disk, this.#closing.signal);
  }

  async generations(): Promise<readonly Generation[]> {
    this.#check();
    return this.disk.list();
  }

  async createGeneration(input: NewGeneration): Promise<Generation> {
    this.#check();
    const id = this.disk.nextGenerationId++;
    const { configs, createdAtMs } = input;
    const rest = { configs: structuredClone(configs), sourceHandle: undefined, createdAtMs };
    const generation: Generation = { id, state: 'preparing', ...rest };
    const deltas = new ConflatedFeed(mergeDeltas);
    this.disk.generations.set(id, { generation, content: emptyContent(), deltas });
    this.disk.generationFeed.publish(this.disk.list());
    return generation;
  }

  async takeFillNumber(): Promise<number> {
    this.#check();
    return ++this.disk.lastFillNumber;
  }

  async setSourceHandle(id: number, handle: string): Promise<void> {
    const stored = this.#find(id);
    stored.generation = { ...stored.generation, sourceHandle: handle };
    this.disk.generationFeed.publish(this.disk.list());
  }

  async deleteGeneration(id: number): Promise<void> {
    this.#check();
    this.disk.generations.get(id)?.deltas.close();
    if (this.disk.generations.delete(id)) this.disk.generationFeed.publish(this.disk.list());
  }

  watchGenerations(signal: AbortSignal): AsyncIterable<readonly Generation[]> {
    this.#check();
    const either = AbortSignal.any([signal, this.#closing.signal]);
    return this.disk.generationFeed.subscribe(either, this.disk.list());
  }

  async openWriter(generationId: number): Promise<GenerationWriter> {
    const stored = this.#find(generationId);
    if (this.disk.writer !== undefined && this.disk.writer !== this) {
      throw new StorageError('STORAGE_LOCKED', 'Another instance writes to this memory');
    }
    this.disk.writer = this;
    return new MemoryWriter(this.disk, stored, () => this.#isOpen);
  }

  async openReader(generationId: number): Promise<GenerationReader> {
    return new MemoryReader(this.#find(generationId), () => this.#isOpen);
  }

  /** It has no caches. */
  stats(): StorageStats {
    return { caches: {} };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    if (this.disk.writer === this) this.disk.writer = undefined;
  }

  get #isOpen(): boolean {
    return !this.#closing.signal.aborted;
  }

  #find(id: number): StoredGeneration {
    this.#check();
    const stored = this.disk.generations.get(id);
    if (stored !== undefined) return stored;
    throw new StorageError('STORAGE_GENERATION_GONE', `There is no generation ${id}`);
  }

  #check(): void {
    if (!this.#isOpen) throw new StorageError('STORAGE_CLOSED', 'Storage is closed');
  }
}
