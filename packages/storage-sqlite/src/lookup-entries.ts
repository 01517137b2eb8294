import type { Database } from './database.ts';

/**
 * Lookup entries, each open from the op id under which it was added until the one under which it
 * was closed, so that readers at any checkpoint see what belongs to it.
 */
export class LookupEntries {
  readonly #generationId: number;
  readonly #insert;
  readonly #close;

  constructor(db: Database, generationId: number) {
    this.#generationId = generationId;
    this.#insert = db.prepare<[number, string, number, string]>(
      'INSERT INTO lookups (generation_id, key, from_op, entry_values) VALUES (?, ?, ?, ?)',
    );
    this.#close = db.prepare<[number, number, string, number]>(
      'UPDATE lookups SET to_op = ? WHERE generation_id = ? AND key = ? AND from_op = ?',
    );
  }

  add(key: string, fromOp: number, values: string): void {
    this.#insert.run(this.#generationId, key, fromOp, values);
  }

  close(key: string, fromOp: number, toOp: number): void {
    this.#close.run(toOp, this.#generationId, key, fromOp);
  }
}
