import { StorageError } from '@sluice/base';
import type { Checkpoint } from '@sluice/model';
import type {
  CompactionReport,
  Discarded,
  GenerationWriter,
  RowRef,
  StoredTable,
  WriteBatch,
  WriterProgress,
} from '@sluice/storage';
import { BatchApplier } from './batch-applier.ts';
import type { ChangeSignal } from './change-signal.ts';
import { CompactionQueue } from './compaction-queue.ts';
import { Compactor } from './compactor.ts';
import type { Database } from './database.ts';
import { DeltaLog } from './delta-log.ts';
import { Discarder } from './discarder.ts';
import { Discards } from './discards.ts';
import { generationGone, GenerationTable, toCheckpoint } from './generation-table.ts';
import { RowCopies } from './row-copies.ts';
import type { RowStateLogLimits } from './row-state-log.ts';
import { guarded } from './sqlite-error.ts';

export interface GenerationWriterParts {
  readonly db: Database;
  readonly generationId: number;
  readonly changes: ChangeSignal;
  readonly nowMs: () => number;
  readonly rowStateLog?: RowStateLogLimits | undefined;
  readonly onClose: () => void;
}

interface ProgressRow {
  readonly resume: string;
  readonly checkpoint_op: number | null;
  readonly checkpoint_position: string | null;
}

/** Writes one generation. Each batch is one transaction, done when `write` returns. */
export class SqliteGenerationWriter implements GenerationWriter {
  readonly #parts: GenerationWriterParts;
  readonly #db: Database;
  readonly #generations: GenerationTable;
  readonly #copies: RowCopies;
  readonly #applier: BatchApplier;
  readonly #deltas: DeltaLog;
  readonly #compactor: Compactor;
  readonly #discards: Discards;
  readonly #discarder: Discarder;
  readonly #statements;
  readonly #transaction;
  #isClosed = false;

  constructor(parts: GenerationWriterParts) {
    const { db, generationId } = parts;
    this.#parts = parts;
    this.#db = db;
    this.#generations = new GenerationTable(db);
    this.#copies = new RowCopies(db, generationId);
    this.#deltas = new DeltaLog(db, generationId);
    const queue = new CompactionQueue(db, generationId);
    const salt = this.#generations.subkeySalt(generationId);
    this.#discards = new Discards(db, generationId);
    this.#applier = new BatchApplier({
      db,
      generationId,
      subkeySalt: salt,
      discards: this.#discards,
      onAppend: (bucketId) => queue.note(bucketId),
      rowStateLog: parts.rowStateLog,
    });
    this.#compactor = new Compactor({
      db,
      generationId,
      queue,
      deltas: this.#deltas,
      nowMs: parts.nowMs,
    });
    this.#discarder = new Discarder({
      db,
      generationId,
      discards: this.#discards,
      settleStep: (tableIds) => this.#applier.settleStep(tableIds),
      onRolledBack: () => this.#forgetUncommitted(),
      onUnnamed: (buckets) => {
        this.#applier.forgetBuckets(buckets);
        this.#compactor.forgetBuckets(buckets);
      },
    });
    this.#statements = prepareStatements(db);
    this.#transaction = db.transaction((batch: WriteBatch) => this.#apply(batch));
  }

  async progress(): Promise<WriterProgress> {
    return this.#guarded(() => {
      const { generationId } = this.#parts;
      const row = this.#statements.progress.get(generationId);
      const tables = this.#statements.tables.all(generationId);
      const checkpoint = row && toCheckpoint(row.checkpoint_op, row.checkpoint_position);
      return { resume: row?.resume, tables, checkpoint };
    });
  }

  async write(batch: WriteBatch): Promise<Checkpoint | undefined> {
    return this.#guarded(() => {
      let checkpoint: Checkpoint | undefined;
      try {
        checkpoint = this.#transaction.immediate(batch);
      } catch (error) {
        if (this.#db.open) this.#forgetUncommitted();
        throw error;
      }
      if (checkpoint) this.#parts.changes.announce(this.#parts.generationId);
      if (batch.activate || batch.configs) this.#parts.changes.announce('generations');
      return checkpoint;
    });
  }

  async loadCopies(rows: readonly RowRef[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#guarded(() => rows.map(({ tableId, key }) => this.#copies.get(tableId, key)));
  }

  async compact(options: { readonly maxMs: number }): Promise<CompactionReport> {
    this.#guarded(() => {});
    return this.#compactor.run(options.maxMs);
  }

  async discard(
    what: Discarded,
    options: { readonly maxMs: number },
  ): Promise<{ readonly more: boolean }> {
    this.#guarded(() => {});
    return this.#discarder.run(what, options.maxMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.onClose();
  }

  #guarded<T>(run: () => T): T {
    if (this.#isClosed) throw new StorageError('STORAGE_CLOSED', 'The writer is closed');
    return guarded(this.#db, run);
  }

  #apply(batch: WriteBatch): Checkpoint | undefined {
    const { generationId } = this.#parts;
    if (this.#statements.exists.get(generationId) === undefined) throw generationGone(generationId);
    const sequence = this.#statements.sequence.get() ?? { last_op: 0, last_bucket: 0 };
    const result = this.#applier.apply(batch.changes, sequence.last_op, sequence.last_bucket);
    if (result.lastOp > sequence.last_op || result.lastBucketId > sequence.last_bucket) {
      this.#statements.setSequence.run(result.lastOp, result.lastBucketId);
    }
    this.#deltas.append(result.lastOp, result.delta);
    this.#writeTables(batch.tables ?? [], batch.forgetTables ?? []);
    if (batch.configs) this.#generations.setConfigs(generationId, batch.configs);
    if (batch.checkpoint === undefined) {
      this.#statements.setResume.run(generationId, batch.resume);
      return undefined;
    }
    const { resume, checkpoint: position } = batch;
    this.#statements.setCheckpoint.run(generationId, resume, result.lastOp, position);
    if (batch.activate) this.#generations.activate(generationId);
    return { opId: BigInt(result.lastOp), position };
  }

  #writeTables(tables: readonly StoredTable[], forget: readonly number[]): void {
    const { generationId } = this.#parts;
    for (const table of tables) {
      this.#statements.setTable.run(generationId, table.id, table.state);
    }
    for (const id of forget) this.#statements.forgetTable.run(generationId, id);
  }

  #forgetUncommitted(): void {
    this.#applier.reset();
    this.#deltas.reload();
    this.#discards.reload();
  }
}

function prepareStatements(db: Database) {
  return {
    exists: db.prepare<[number]>(`SELECT 1 FROM generations WHERE id = ? AND state <> 'deleting'`),
    progress: db.prepare<[number], ProgressRow>(
      `SELECT resume, checkpoint_op, checkpoint_position FROM progress WHERE generation_id = ?`,
    ),
    tables: db.prepare<[number], StoredTable>(
      `SELECT table_id AS id, state FROM source_tables WHERE generation_id = ? ORDER BY table_id`,
    ),
    sequence: db.prepare<[], { last_op: number; last_bucket: number }>(
      'SELECT last_op, last_bucket FROM sequence',
    ),
    setSequence: db.prepare<[number, number]>('UPDATE sequence SET last_op = ?, last_bucket = ?'),
    setResume: db.prepare<[number, string]>(
      `INSERT INTO progress (generation_id, resume) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET resume = excluded.resume`,
    ),
    setCheckpoint: db.prepare<[number, string, number, string]>(
      `INSERT INTO progress (generation_id, resume, checkpoint_op, checkpoint_position)
       VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET resume = excluded.resume,
         checkpoint_op = excluded.checkpoint_op,
         checkpoint_position = excluded.checkpoint_position`,
    ),
    setTable: db.prepare<[number, number, string]>(
      `INSERT INTO source_tables (generation_id, table_id, state) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET state = excluded.state`,
    ),
    forgetTable: db.prepare<[number, number]>(
      'DELETE FROM source_tables WHERE generation_id = ? AND table_id = ?',
    ),
  };
}
