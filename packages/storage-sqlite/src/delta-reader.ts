import type { Checkpoint } from '@sluice/model';
import type { CheckpointDelta } from '@sluice/storage';
import type { BucketNames } from './bucket-names.ts';
import type { Database } from './database.ts';
import { generationGone, toCheckpoint } from './generation-table.ts';

/** Up to where a reader knows a generation's changes. */
export interface DeltaPlace {
  readonly checkpoint: Checkpoint | undefined;
  readonly seq: number;
}

/** What lies between two places. */
export interface DeltaNews extends CheckpointDelta {
  /** Buckets that compaction has rewritten; `all` when that is not known. */
  readonly compacted: ReadonlySet<string> | 'all';
  readonly place: DeltaPlace;
}

interface CheckpointRow {
  readonly checkpoint_op: number | null;
  readonly checkpoint_position: string | null;
}

interface DeltaRow {
  readonly seq: number;
  readonly buckets: string | null;
  readonly lookups: string | null;
  readonly compacted: string;
}

/** The readers' side of the log of changes. */
export class DeltaReader {
  readonly #generationId: number;
  readonly #names: BucketNames;
  readonly #exists;
  readonly #checkpoint;
  readonly #lastSeq;
  readonly #since;
  readonly #inTransaction;

  constructor(db: Database, generationId: number, names: BucketNames) {
    this.#generationId = generationId;
    this.#names = names;
    this.#exists = db
      .prepare<[number]>(`SELECT 1 FROM generations WHERE id = ? AND state <> 'deleting'`)
      .pluck();
    this.#checkpoint = db.prepare<[number], CheckpointRow>(
      'SELECT checkpoint_op, checkpoint_position FROM progress WHERE generation_id = ?',
    );
    this.#lastSeq = db
      .prepare<[number, number], number | null>(
        'SELECT max(seq) FROM deltas WHERE generation_id = ? AND up_to_op <= ?',
      )
      .pluck();
    this.#since = db.prepare<[number, number, number], DeltaRow>(
      `SELECT seq, buckets, lookups, compacted FROM deltas
       WHERE generation_id = ? AND seq > ? AND up_to_op <= ? ORDER BY seq`,
    );
    this.#inTransaction = db.transaction(<T>(read: () => T): T => read());
  }

  checkpoint(): Checkpoint | undefined {
    const row = this.#checkpoint.get(this.#generationId);
    return row && toCheckpoint(row.checkpoint_op, row.checkpoint_position);
  }

  /** The place of the newest checkpoint. */
  here(): DeltaPlace {
    return this.#inTransaction(() => {
      const checkpoint = this.checkpoint();
      const upTo = Number(checkpoint?.opId ?? 0n);
      return { checkpoint, seq: this.#lastSeq.get(this.#generationId, upTo) ?? 0 };
    }) as DeltaPlace;
  }

  /**
   * What is new since `place`; undefined when no checkpoint is.
   *
   * @throws StorageError `STORAGE_GENERATION_GONE`
   */
  since(place: DeltaPlace): DeltaNews | undefined {
    return this.#inTransaction(() => {
      const checkpoint = this.checkpoint();
      if (this.#exists.get(this.#generationId) === undefined)
        throw generationGone(this.#generationId);
      if (checkpoint === undefined || isSame(checkpoint, place.checkpoint)) return undefined;
      const rows = this.#since.all(this.#generationId, place.seq, Number(checkpoint.opId));
      return this.#merge(checkpoint, place, rows);
    }) as DeltaNews | undefined;
  }

  #merge(checkpoint: Checkpoint, place: DeltaPlace, rows: readonly DeltaRow[]): DeltaNews {
    const seq = rows.at(-1)?.seq ?? place.seq;
    const isComplete = seq - place.seq === rows.length;
    const news = { checkpoint, place: { checkpoint, seq } };
    if (!isComplete) return { ...news, buckets: 'all', lookups: 'all', compacted: 'all' };
    return {
      ...news,
      buckets: this.#bucketNames(rows.map((row) => row.buckets)),
      lookups: union<string>(rows.map((row) => row.lookups)),
      compacted: this.#bucketNames(rows.map((row) => row.compacted)),
    };
  }

  #bucketNames(lists: readonly (string | null)[]): ReadonlySet<string> | 'all' {
    const ids = union<number>(lists);
    if (ids === 'all') return 'all';
    const names = new Set<string>();
    for (const id of ids) {
      const name = this.#names.nameOf(id);
      if (name !== undefined) names.add(name);
    }
    return names;
  }
}

function union<T>(lists: readonly (string | null)[]): ReadonlySet<T> | 'all' {
  const all = new Set<T>();
  for (const list of lists) {
    if (list === null) return 'all';
    for (const item of JSON.parse(list) as readonly T[]) all.add(item);
  }
  return all;
}

function isSame(a: Checkpoint, b: Checkpoint | undefined): boolean {
  return b !== undefined && a.opId === b.opId && a.position === b.position;
}
