import type { Clock } from '@sluice/base';
import type { BucketStorage, GenerationWriter, WriteBatch } from '@sluice/storage';
import type { ReplicatorMeters } from './meters.ts';

/** Bucket storage as it is, with what its writers do counted, and watched. */
export class MeteredStorage {
  readonly storage: BucketStorage;
  readonly #meters: ReplicatorMeters;
  readonly #clock: Clock;
  /** When each call to a writer that is under way began, by a number of its own. */
  readonly #calls = new Map<number, number>();
  readonly #hasMore = new Set<number>();
  #nextCall = 0;
  #newestOpId: bigint | undefined;

  constructor(storage: BucketStorage, meters: ReplicatorMeters, clock: Clock) {
    this.#meters = meters;
    this.#clock = clock;
    this.storage = withOpenWriter(storage, (id) => this.#openWriter(storage, id));
  }

  /** When the oldest call that is under way began; undefined while there is none. */
  get busySinceMs(): number | undefined {
    const [first] = this.#calls.values();
    return first;
  }

  /** Generations whose last slice of compaction left more to do. */
  get compactionsPending(): number {
    return this.#hasMore.size;
  }

  async #openWriter(storage: BucketStorage, id: number): Promise<GenerationWriter> {
    const writer = await storage.openWriter(id);
    const { checkpoint } = await writer.progress();
    // Op ids come from one sequence for all generations, so what it grows by has been written.
    if (checkpoint !== undefined) this.#newestOpId ??= checkpoint.opId;
    return {
      progress: () => writer.progress(),
      write: (batch) => this.#write(writer, batch),
      loadCopies: (rows) => writer.loadCopies(rows),
      compact: (options) => this.#compact(writer, id, options),
      discard: (what, options) => this.#during(() => writer.discard(what, options)),
      [Symbol.asyncDispose]: () => {
        this.#hasMore.delete(id);
        return writer[Symbol.asyncDispose]();
      },
    };
  }

  async #write(writer: GenerationWriter, batch: WriteBatch) {
    const meters = this.#meters;
    const startedAtMs = performance.now();
    const checkpoint = await this.#during(() => writer.write(batch));
    meters.batchMs += performance.now() - startedAtMs;
    meters.batches += 1;
    meters.rowChanges += batch.changes.length;
    if (checkpoint === undefined) return undefined;
    meters.checkpoints += 1;
    const before = this.#newestOpId ?? 0n;
    if (checkpoint.opId > before) {
      meters.operations += Number(checkpoint.opId - before);
      this.#newestOpId = checkpoint.opId;
    }
    return checkpoint;
  }

  async #compact(writer: GenerationWriter, id: number, options: { readonly maxMs: number }) {
    const meters = this.#meters;
    const startedAtMs = performance.now();
    const report = await this.#during(() => writer.compact(options));
    meters.compactionMs += performance.now() - startedAtMs;
    meters.compactionSlices += 1;
    meters.segmentsRead += report.segmentsRead;
    meters.segmentsWritten += report.segmentsWritten;
    meters.opsDropped += report.opsDropped;
    if (report.more) this.#hasMore.add(id);
    else this.#hasMore.delete(id);
    return report;
  }

  async #during<T>(call: () => Promise<T>): Promise<T> {
    const number = this.#nextCall++;
    this.#calls.set(number, this.#clock.now());
    try {
      return await call();
    } finally {
      this.#calls.delete(number);
    }
  }
}

function withOpenWriter(
  storage: BucketStorage,
  openWriter: BucketStorage['openWriter'],
): BucketStorage {
  return {
    generations: () => storage.generations(),
    createGeneration: (input) => storage.createGeneration(input),
    takeFillNumber: () => storage.takeFillNumber(),
    setSourceHandle: (id, handle) => storage.setSourceHandle(id, handle),
    deleteGeneration: (id, signal) => storage.deleteGeneration(id, signal),
    watchGenerations: (signal) => storage.watchGenerations(signal),
    openWriter,
    openReader: (id) => storage.openReader(id),
    writeCheckpoints: storage.writeCheckpoints,
    stats: () => storage.stats(),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  };
}
