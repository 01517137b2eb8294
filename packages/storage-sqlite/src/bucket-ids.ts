import type { Database } from './database.ts';

/** Names remembered per generation, about 100 bytes each. */
const MAX_CACHED = 200_000;

/**
 * Small numbers for a generation's bucket names, given out by its writer. What is remembered of a
 * transaction that was rolled back must be forgotten.
 */
export class BucketIds {
  readonly #ids = new Map<string, number>();
  readonly #find;
  readonly #add;
  readonly #generationId: number;
  #lastId = 0;

  constructor(db: Database, generationId: number) {
    this.#generationId = generationId;
    this.#find = db
      .prepare<[number, string], number>(
        'SELECT id FROM buckets WHERE generation_id = ? AND name = ?',
      )
      .pluck();
    this.#add = db.prepare<[number, number, string]>(
      'INSERT INTO buckets (id, generation_id, name) VALUES (?, ?, ?)',
    );
  }

  /** The highest number given out in the whole storage; set before a batch, stored after it. */
  get lastId(): number {
    return this.#lastId;
  }

  set lastId(id: number) {
    this.#lastId = id;
  }

  idOf(name: string): number {
    return this.#ids.get(name) ?? this.#load(name);
  }

  forget(): void {
    this.#ids.clear();
  }

  forgetSome(buckets: readonly { readonly name: string }[]): void {
    for (const { name } of buckets) this.#ids.delete(name);
  }

  #load(name: string): number {
    let id = this.#find.get(this.#generationId, name);
    if (id === undefined) {
      id = this.#lastId + 1;
      this.#add.run(id, this.#generationId, name);
      this.#lastId = id;
    }
    if (this.#ids.size >= MAX_CACHED) this.#ids.clear();
    this.#ids.set(name, id);
    return id;
  }
}
