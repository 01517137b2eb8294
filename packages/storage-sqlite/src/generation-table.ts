import { randomUUID } from 'node:crypto';
import { must, StorageError } from '@sluice/base';
import type { Checkpoint } from '@sluice/model';
import type { Generation, GenerationConfigs, NewGeneration } from '@sluice/storage';
import { ConfigTable } from './config-table.ts';
import type { Database } from './database.ts';

interface GenerationRow {
  readonly id: number;
  readonly state: Generation['state'];
  readonly source_handle: string | null;
  readonly created_at_ms: number;
}

const COLUMNS = 'id, state, source_handle, created_at_ms';

/** The generations as rows. One whose removal has begun (`deleting`) is not seen any more. */
export class GenerationTable {
  readonly #db: Database;
  readonly #configs: ConfigTable;
  readonly #inTransaction;

  constructor(db: Database) {
    this.#db = db;
    this.#configs = new ConfigTable(db);
    this.#inTransaction = db.transaction(<T>(run: () => T): T => run());
  }

  list(): readonly Generation[] {
    const statement = this.#db.prepare<[], GenerationRow>(
      `SELECT ${COLUMNS} FROM generations WHERE state <> 'deleting' ORDER BY id`,
    );
    return this.#together(() => statement.all().map((row) => this.#toGeneration(row)));
  }

  /** @throws StorageError `STORAGE_GENERATION_GONE` */
  get(id: number): Generation {
    const statement = this.#db.prepare<[number], GenerationRow>(
      `SELECT ${COLUMNS} FROM generations WHERE id = ? AND state <> 'deleting'`,
    );
    return this.#together(() => {
      const row = statement.get(id);
      if (!row) throw generationGone(id);
      return this.#toGeneration(row);
    });
  }

  add(input: NewGeneration): Generation {
    const statement = this.#db.prepare<[string, number]>(
      `INSERT INTO generations (state, subkey_salt, created_at_ms) VALUES ('preparing', ?, ?)`,
    );
    return this.#together(() => {
      const { lastInsertRowid } = statement.run(randomUUID(), input.createdAtMs);
      this.#configs.replace(Number(lastInsertRowid), input.configs);
      return this.get(Number(lastInsertRowid));
    });
  }

  /** To be called in a transaction. */
  setConfigs(id: number, configs: GenerationConfigs): void {
    this.#configs.replace(id, configs);
  }

  /** What makes the subkeys of a generation its own. */
  subkeySalt(id: number): string {
    const salt = this.#db
      .prepare<[number], string>('SELECT subkey_salt FROM generations WHERE id = ?')
      .pluck()
      .get(id);
    if (salt === undefined) throw generationGone(id);
    return salt;
  }

  takeFillNumber(): number {
    const number = this.#db
      .prepare<[], number>('UPDATE counters SET fill = fill + 1 RETURNING fill')
      .pluck()
      .get();
    return must(number, 'the counters');
  }

  setSourceHandle(id: number, handle: string): void {
    const { changes } = this.#db
      .prepare<[string, number]>(
        `UPDATE generations SET source_handle = ? WHERE id = ? AND state <> 'deleting'`,
      )
      .run(handle, id);
    if (changes === 0) throw generationGone(id);
  }

  /** To be called in a transaction: the unique index holds at every moment. */
  activate(id: number): void {
    this.#db
      .prepare<[number]>(
        `UPDATE generations SET state = 'retired' WHERE state = 'active' AND id <> ?`,
      )
      .run(id);
    this.#db.prepare<[number]>(`UPDATE generations SET state = 'active' WHERE id = ?`).run(id);
  }

  /** Hides a generation from everybody; false when there is none to remove. */
  beginRemoval(id: number): boolean {
    const { changes } = this.#db
      .prepare<[number]>(`UPDATE generations SET state = 'deleting' WHERE id = ?`)
      .run(id);
    return changes > 0;
  }

  /** One snapshot, and one transaction, for several statements. */
  #together<T>(run: () => T): T {
    return this.#inTransaction(run) as T;
  }

  #toGeneration(row: GenerationRow): Generation {
    return {
      id: row.id,
      state: row.state,
      configs: this.#configs.get(row.id),
      sourceHandle: row.source_handle ?? undefined,
      createdAtMs: row.created_at_ms,
    };
  }
}

export function generationGone(id: number): StorageError {
  return new StorageError('STORAGE_GENERATION_GONE', `There is no generation ${id}`);
}

/** A checkpoint from its two columns. */
export function toCheckpoint(opId: number | null, position: string | null): Checkpoint | undefined {
  return opId === null || position === null ? undefined : { opId: BigInt(opId), position };
}
