import type { Database } from './database.ts';

/** Answers remembered, a few bytes each. */
const MAX_CACHED = 200_000;

interface DiscardRow {
  readonly prefix: string;
  readonly up_to_op: number;
  readonly up_to_bucket: number;
  readonly is_done: number;
}

/**
 * What was discarded of a generation, for its writer: row states go on naming buckets and lookups
 * that are gone, and are not worth a pass over all rows. Where nothing was ever discarded, or a
 * bucket or lookup is newer than that, telling costs one comparison.
 */
export class Discards {
  readonly #generationId: number;
  readonly #statements;
  readonly #byPrefix = new Map<string, DiscardRow>();
  /** There are few different lengths, however many prefixes. */
  readonly #lengths = new Set<number>();
  readonly #isGone = new Map<number, boolean>();
  #upToOp = 0;
  #upToBucket = 0;

  constructor(db: Database, generationId: number) {
    this.#generationId = generationId;
    this.#statements = prepareStatements(db);
    this.reload();
  }

  /** Whether the bucket of this number is removed, or is being removed. */
  isBucketGone(id: number): boolean {
    if (id > this.#upToBucket) return false;
    return this.#isGone.get(id) ?? this.#findOut(id);
  }

  /** Whether an entry that was opened under `fromOp` is removed, or is being removed. */
  isLookupGone(key: string, fromOp: number): boolean {
    if (fromOp > this.#upToOp) return false;
    return this.#find(key, ({ up_to_op }) => fromOp <= up_to_op);
  }

  /** The prefixes of which something may still be there. */
  pending(): readonly string[] {
    return [...this.#byPrefix.values()].filter((row) => row.is_done === 0).map((row) => row.prefix);
  }

  /** From now on everything with these prefixes counts as gone. To be called in a transaction. */
  begin(prefixes: readonly string[]): void {
    const pending = new Set(this.pending());
    const begun = prefixes.filter((prefix) => !pending.has(prefix));
    if (begun.length === 0) return;
    for (const prefix of begun) this.#statements.begin.run(this.#generationId, prefix);
    this.#statements.moveOn.run();
    this.reload();
  }

  /** Nothing of the pending prefixes is left. To be called in a transaction. */
  complete(): void {
    if (this.pending().length === 0) return;
    this.#statements.complete.run(this.#generationId);
    this.#statements.moveOn.run();
    this.reload();
  }

  /** Goes back to what is stored. */
  reload(): void {
    const rows = this.#statements.load.all(this.#generationId);
    this.#byPrefix.clear();
    this.#lengths.clear();
    this.#isGone.clear();
    [this.#upToOp, this.#upToBucket] = [0, 0];
    for (const row of rows) {
      this.#byPrefix.set(row.prefix, row);
      this.#lengths.add(row.prefix.length);
      this.#upToOp = Math.max(this.#upToOp, row.up_to_op);
      this.#upToBucket = Math.max(this.#upToBucket, row.up_to_bucket);
    }
  }

  #findOut(id: number): boolean {
    const name = this.#statements.nameOf.get(id);
    const isGone = name === undefined || this.#find(name, ({ is_done }) => is_done === 0);
    if (this.#isGone.size >= MAX_CACHED) this.#isGone.clear();
    this.#isGone.set(id, isGone);
    return isGone;
  }

  #find(name: string, test: (row: DiscardRow) => boolean): boolean {
    for (const length of this.#lengths) {
      const row = this.#byPrefix.get(name.slice(0, length));
      if (row !== undefined && test(row)) return true;
    }
    return false;
  }
}

function prepareStatements(db: Database) {
  return {
    load: db.prepare<[number], DiscardRow>(
      'SELECT prefix, up_to_op, up_to_bucket, is_done FROM discards WHERE generation_id = ?',
    ),
    begin: db.prepare<[number, string]>(
      `INSERT OR REPLACE INTO discards (generation_id, prefix, up_to_op, up_to_bucket, is_done)
       SELECT ?, ?, last_op, last_bucket, 0 FROM sequence`,
    ),
    complete: db.prepare<[number]>('UPDATE discards SET is_done = 1 WHERE generation_id = ?'),
    moveOn: db.prepare<[]>('UPDATE counters SET discard = discard + 1'),
    nameOf: db.prepare<[number], string>('SELECT name FROM buckets WHERE id = ?').pluck(),
  };
}
