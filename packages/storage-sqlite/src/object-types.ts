import { must } from '@sluice/base';
import type { Database } from './database.ts';

/** Small numbers for the client table names of a generation; as many as its config names. */
export class ObjectTypes {
  readonly #generationId: number;
  readonly #load;
  readonly #add;
  readonly #ids = new Map<string, number>();
  readonly #names = new Map<number, string>();

  constructor(db: Database, generationId: number) {
    this.#generationId = generationId;
    this.#load = db.prepare<[number], { type_id: number; name: string }>(
      'SELECT type_id, name FROM object_types WHERE generation_id = ?',
    );
    this.#add = db.prepare<[number, number, string]>(
      'INSERT INTO object_types (generation_id, type_id, name) VALUES (?, ?, ?)',
    );
    this.reload();
  }

  idOf(name: string): number {
    return this.#ids.get(name) ?? this.#addType(name);
  }

  nameOf(id: number): string {
    return must(this.#names.get(id), `the name of object type ${id}`);
  }

  /** Goes back to what is stored, after a transaction was rolled back. */
  reload(): void {
    this.#ids.clear();
    this.#names.clear();
    for (const row of this.#load.all(this.#generationId)) this.#remember(row.type_id, row.name);
  }

  #addType(name: string): number {
    const id = this.#ids.size + 1;
    this.#add.run(this.#generationId, id, name);
    this.#remember(id, name);
    return id;
  }

  #remember(id: number, name: string): void {
    this.#ids.set(name, id);
    this.#names.set(id, name);
  }
}
