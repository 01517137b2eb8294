import type { Database } from './database.ts';

/** The source's own values of rows, kept where a later change may omit some of them. */
export class RowCopies {
  readonly #generationId: number;
  readonly #get;
  readonly #set;
  readonly #delete;

  constructor(db: Database, generationId: number) {
    this.#generationId = generationId;
    this.#get = db
      .prepare<[number, number, string], Buffer>(
        'SELECT copy FROM row_copies WHERE generation_id = ? AND table_id = ? AND key = ?',
      )
      .pluck();
    this.#set = db.prepare<[number, number, string, Uint8Array]>(
      `INSERT INTO row_copies (generation_id, table_id, key, copy) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET copy = excluded.copy`,
    );
    this.#delete = db.prepare<[number, number, string]>(
      'DELETE FROM row_copies WHERE generation_id = ? AND table_id = ? AND key = ?',
    );
  }

  get(tableId: number, key: string): Buffer | undefined {
    return this.#get.get(this.#generationId, tableId, key);
  }

  set(tableId: number, key: string, copy: Uint8Array): void {
    this.#set.run(this.#generationId, tableId, key, copy);
  }

  delete(tableId: number, key: string): void {
    this.#delete.run(this.#generationId, tableId, key);
  }
}
