import { AppError, isJsonObject, parseExactJson, type JsonObject } from '@sluice/base';
import type { CheckpointBucket, CheckpointLine, Line } from '@sluice/protocol';
import { BucketRows, type HeldRow, type RowName } from './bucket-rows.ts';
import { changedColumns, type ColumnChange } from './row-difference.ts';

/** What there is to tell after a line. */
export type TailEvent =
  | {
      readonly kind: 'synced';
      readonly opId: bigint;
      readonly rowsByTable: ReadonlyMap<string, number>;
      readonly bucketCount: number;
    }
  | {
      readonly kind: 'change';
      readonly op: 'PUT' | 'REMOVE';
      readonly table: string;
      readonly id: string;
      /** For a row that was not there before. */
      readonly isNew: boolean;
      readonly columns: readonly ColumnChange[];
    }
  | {
      readonly kind: 'checkpoint';
      readonly opId: bigint;
      readonly writeCheckpoint: bigint | undefined;
      readonly changeCount: number;
    }
  | { readonly kind: 'buckets'; readonly buckets: readonly BucketSummary[] }
  | {
      readonly kind: 'mismatch';
      readonly bucket: string;
      readonly expected: number;
      readonly actual: number;
    }
  | { readonly kind: 'stream-error'; readonly stream: string; readonly message: string };

export interface BucketSummary {
  readonly bucket: string;
  readonly priority: number;
  readonly rowCount: number;
  readonly checksum: number;
}

/**
 * A client's view of the stream, as values only: lines go in, what changed for the user comes out.
 * Changes show when their checkpoint is complete and its checksums are right, as in an app.
 */
export class TailView {
  readonly #buckets = new Map<string, BucketRows>();
  readonly #shown = new Map<string, RowName & { readonly data: JsonObject }>();
  readonly #touched = new Map<string, RowName>();
  #checkpoint: Map<string, CheckpointBucket> | undefined;
  #writeCheckpoint: bigint | undefined;
  #hasSynced = false;

  /** What to send as `buckets` when connecting again (spec/protocol.md 2.1). */
  positions(): { readonly name: string; readonly after: string }[] {
    return [...this.#buckets].map(([name, rows]) => ({ name, after: rows.lastOpId.toString() }));
  }

  apply(line: Line): readonly TailEvent[] {
    switch (line.kind) {
      case 'checkpoint':
        return this.#startCheckpoint(line);
      case 'checkpoint_diff': {
        const checkpoint = this.#current();
        for (const name of line.removedBuckets) checkpoint.delete(name);
        for (const bucket of line.updatedBuckets) checkpoint.set(bucket.bucket, bucket);
        this.#writeCheckpoint = line.writeCheckpoint;
        this.#dropUnlisted(checkpoint);
        return [];
      }
      case 'data':
        this.#bucket(line.bucket).apply(line.ops, (row) => this.#touch(row));
        return [];
      case 'partial_checkpoint_complete':
        return this.#mismatches((bucket) => bucket.priority <= line.priority);
      case 'checkpoint_complete': {
        const mismatches = this.#mismatches(() => true);
        return mismatches.length > 0 ? mismatches : this.#publish(line.lastOpId);
      }
      case 'token_expires_in':
        return [];
    }
  }

  #startCheckpoint(line: CheckpointLine): TailEvent[] {
    this.#checkpoint = new Map(line.buckets.map((bucket) => [bucket.bucket, bucket]));
    this.#writeCheckpoint = line.writeCheckpoint;
    this.#dropUnlisted(this.#checkpoint);
    return line.streams.flatMap(({ name, errors }) =>
      errors.map(({ message }): TailEvent => ({ kind: 'stream-error', stream: name, message })),
    );
  }

  #current(): Map<string, CheckpointBucket> {
    if (this.#checkpoint) return this.#checkpoint;
    throw new AppError('SYNC_LINE_INVALID', 'The service sent a line before any checkpoint');
  }

  #bucket(name: string): BucketRows {
    const known = this.#buckets.get(name);
    if (known) return known;
    const fresh = new BucketRows();
    this.#buckets.set(name, fresh);
    return fresh;
  }

  #dropUnlisted(checkpoint: ReadonlyMap<string, CheckpointBucket>): void {
    for (const name of this.#buckets.keys()) {
      if (!checkpoint.has(name)) this.#dropBucket(name);
    }
  }

  #dropBucket(name: string): void {
    for (const row of this.#buckets.get(name)?.rows.values() ?? []) this.#touch(row);
    this.#buckets.delete(name);
  }

  #touch({ table, id }: RowName): void {
    this.#touched.set(rowName({ table, id }), { table, id });
  }

  /** A wrong bucket is dropped, so that the next connection downloads it from the start. */
  #mismatches(counts: (bucket: CheckpointBucket) => boolean): TailEvent[] {
    const events: TailEvent[] = [];
    for (const bucket of this.#current().values()) {
      if (!counts(bucket)) continue;
      const expected = bucket.checksum >>> 0;
      const actual = this.#buckets.get(bucket.bucket)?.checksum ?? 0;
      if (actual === expected) continue;
      this.#dropBucket(bucket.bucket);
      events.push({ kind: 'mismatch', bucket: bucket.bucket, expected, actual });
    }
    return events;
  }

  #publish(opId: bigint): TailEvent[] {
    const changes = this.#takeChanges();
    const buckets: TailEvent = { kind: 'buckets', buckets: this.#summaries() };
    if (!this.#hasSynced) {
      this.#hasSynced = true;
      const rowsByTable = new Map<string, number>();
      for (const { table } of this.#shown.values()) {
        rowsByTable.set(table, (rowsByTable.get(table) ?? 0) + 1);
      }
      const bucketCount = this.#current().size;
      return [...changes, { kind: 'synced', opId, rowsByTable, bucketCount }, buckets];
    }
    const writeCheckpoint = this.#writeCheckpoint;
    const changeCount = changes.length;
    return [...changes, { kind: 'checkpoint', opId, writeCheckpoint, changeCount }, buckets];
  }

  #takeChanges(): TailEvent[] {
    const newest = this.#newestRows();
    const events: TailEvent[] = [];
    for (const [name, { table, id }] of this.#touched) {
      const before = this.#shown.get(name)?.data;
      const row = newest.get(name);
      if (row === undefined) {
        this.#shown.delete(name);
        if (before === undefined) continue;
        events.push({ kind: 'change', op: 'REMOVE', table, id, isNew: false, columns: [] });
        continue;
      }
      const data = parsedRow(row.data);
      this.#shown.set(name, { table, id, data });
      const columns = changedColumns(before, data);
      if (before !== undefined && columns.length === 0) continue;
      events.push({ kind: 'change', op: 'PUT', table, id, isNew: before === undefined, columns });
    }
    this.#touched.clear();
    return events;
  }

  /** Of the touched rows; where several buckets hold a row, the newest operation wins. */
  #newestRows(): Map<string, HeldRow> {
    const newest = new Map<string, HeldRow>();
    if (this.#touched.size === 0) return newest;
    for (const bucket of this.#buckets.values()) {
      for (const row of bucket.rows.values()) {
        const name = rowName(row);
        if (!this.#touched.has(name)) continue;
        const other = newest.get(name);
        if (other === undefined || other.opId < row.opId) newest.set(name, row);
      }
    }
    return newest;
  }

  #summaries(): BucketSummary[] {
    return [...this.#current().values()].map(({ bucket, priority, checksum }) => ({
      bucket,
      priority,
      rowCount: this.#buckets.get(bucket)?.rows.size ?? 0,
      checksum: checksum >>> 0,
    }));
  }
}

function rowName({ table, id }: RowName): string {
  return `${table}\0${id}`;
}

function parsedRow(data: string): JsonObject {
  const row: unknown = parseExactJson(data);
  if (isJsonObject(row)) return row;
  throw new AppError('SYNC_LINE_INVALID', 'The service sent a row that is no JSON object');
}
