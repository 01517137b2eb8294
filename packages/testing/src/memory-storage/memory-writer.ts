import { StorageError } from '@sluice/base';
import type { Checkpoint } from '@sluice/model';
import type {
  CompactionReport,
  Discarded,
  GenerationConfigs,
  GenerationWriter,
  RowRef,
  WriteBatch,
  WriterProgress,
} from '@sluice/storage';
import { ChangeApplier, rowName } from './apply-changes.ts';
import { discardFrom } from './discard.ts';
import type { GenerationContent, MemoryDisk, StoredGeneration } from './memory-data.ts';
import { compactNaively } from './naive-compaction.ts';

export class MemoryWriter implements GenerationWriter {
  readonly #disk: MemoryDisk;
  readonly #stored: StoredGeneration;
  readonly #isOpen: () => boolean;
  #closed = false;

  constructor(disk: MemoryDisk, stored: StoredGeneration, isOpen: () => boolean) {
    this.#disk = disk;
    this.#stored = stored;
    this.#isOpen = isOpen;
  }

  async progress(): Promise<WriterProgress> {
    this.#check();
    const { resume, tables, checkpoint } = this.#stored.content;
    return { resume, tables: [...tables.values()], checkpoint };
  }

  async write(batch: WriteBatch): Promise<Checkpoint | undefined> {
    this.#check();
    // All or nothing: work on a copy, then put it in place.
    const content = structuredClone(this.#stored.content);
    const salt = `salt of generation ${this.#stored.generation.id}`;
    const applier = new ChangeApplier(content, salt, this.#disk.lastOpId);
    for (const change of batch.changes) applier.apply(change);
    for (const table of batch.tables ?? []) content.tables.set(table.id, table);
    for (const id of batch.forgetTables ?? []) content.tables.delete(id);
    content.resume = batch.resume;
    this.#disk.lastOpId = applier.lastOpId;
    this.#stored.content = content;
    if (batch.configs !== undefined) this.#setConfigs(batch.configs);
    const checkpoint =
      batch.checkpoint === undefined
        ? undefined
        : this.#publish(content, batch.checkpoint, batch.activate ?? false);
    if (batch.configs !== undefined || batch.activate) {
      this.#disk.generationFeed.publish(this.#disk.list());
    }
    return checkpoint;
  }

  async loadCopies(rows: readonly RowRef[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#check();
    return rows.map((row) => this.#stored.content.rows.get(rowName(row))?.copy);
  }

  async compact(): Promise<CompactionReport> {
    this.#check();
    const { content } = this.#stored;
    const report = { segmentsRead: 0, segmentsWritten: 0, opsDropped: 0, more: false };
    const upTo = content.checkpoint?.opId ?? 0n;
    for (const [bucket, ops] of content.buckets) {
      const compacted = compactNaively(ops, upTo);
      report.segmentsRead += 1;
      if (ops.every((op, at) => op === compacted[at])) continue;
      const puts = (list: typeof ops) => list.filter(({ op }) => op.kind === 'PUT').length;
      report.segmentsWritten += 1;
      report.opsDropped += puts(ops) - puts(compacted);
      content.buckets.set(bucket, compacted);
      content.epoch += 1;
    }
    return report;
  }

  /** All at once, whatever the time. */
  async discard(what: Discarded): Promise<{ readonly more: boolean }> {
    this.#check();
    discardFrom(this.#stored.content, what);
    return { more: false };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
  }

  #publish(content: GenerationContent, position: string, activate: boolean): Checkpoint {
    const checkpoint = { opId: this.#disk.lastOpId, position };
    content.checkpoint = checkpoint;
    if (activate) this.#activate();
    const [buckets, lookups] = [new Set(content.changedBuckets), new Set(content.changedLookups)];
    content.changedBuckets.clear();
    content.changedLookups.clear();
    this.#stored.deltas.publish({ checkpoint, buckets, lookups });
    return checkpoint;
  }

  #setConfigs(configs: GenerationConfigs): void {
    const { generation } = this.#stored;
    this.#stored.generation = { ...generation, configs: structuredClone(configs) };
  }

  #activate(): void {
    for (const other of this.#disk.generations.values()) {
      if (other === this.#stored) other.generation = { ...other.generation, state: 'active' };
      else if (other.generation.state === 'active') {
        other.generation = { ...other.generation, state: 'retired' };
      }
    }
  }

  #check(): void {
    if (this.#closed || !this.#isOpen())
      throw new StorageError('STORAGE_CLOSED', 'Writer is closed');
  }
}
