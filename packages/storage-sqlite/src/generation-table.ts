import { randomUUID } from 'node:crypto';
import { StorageError } from '@sluice/base';
import type { Checkpoint } from '@sluice/model';
import type { Generation, NewGeneration } from '@sluice/storage';
import type { Database } from './database.ts';

interface GenerationRow {
  readonly id: number;
  readonly state: Generation['state'];
  readonly config_text: string;
  readonly config_hash: string;
  readonly source_handle: string | null;
  readonly created_at_ms: number;
}

const COLUMNS = 'id, state, config_text, config_hash, source_handle, created_at_ms';

/** The generations as rows. One whose removal has begun (`deleting`) is not seen any more. */
export class GenerationTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  list(): readonly Generation[] {
    const rows = this.#db
      .prepare<[], GenerationRow>(
        `SELECT ${COLUMNS} FROM generations WHERE state <> 'deleting' ORDER BY id`,
      )
      .all();
    return rows.map(toGeneration);
  }

  /** @throws StorageError `STORAGE_GENERATION_GONE` */
  get(id: number): Generation {
    const row = this.#db
      .prepare<[number], GenerationRow>(
        `SELECT ${COLUMNS} FROM generations WHERE id = ? AND state <> 'deleting'`,
      )
      .get(id);
    if (!row) throw generationGone(id);
    return toGeneration(row);
  }

  add(input: NewGeneration): Generation {
    const { lastInsertRowid } = this.#db
      .prepare<[string, string, string, number]>(
        `INSERT INTO generations (state, config_text, config_hash, subkey_salt, created_at_ms)
         VALUES ('preparing', ?, ?, ?, ?)`,
      )
      .run(input.configText, input.configHash, randomUUID(), input.createdAtMs);
    return this.get(Number(lastInsertRowid));
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
}

export function generationGone(id: number): StorageError {
  return new StorageError('STORAGE_GENERATION_GONE', `There is no generation ${id}`);
}

/** A checkpoint from its two columns. */
export function toCheckpoint(opId: number | null, position: string | null): Checkpoint | undefined {
  return opId === null || position === null ? undefined : { opId: BigInt(opId), position };
}

function toGeneration(row: GenerationRow): Generation {
  return {
    id: row.id,
    state: row.state,
    configText: row.config_text,
    configHash: row.config_hash,
    sourceHandle: row.source_handle ?? undefined,
    createdAtMs: row.created_at_ms,
  };
}
