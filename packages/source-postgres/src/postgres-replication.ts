import { assert, SourceError, type Clock, type Logger } from '@sluice/base';
import type { SourcePosition, SqliteRow, TablePattern } from '@sluice/model';
import type {
  ChangeEvent,
  SnapshotOptions,
  SourceReplication,
  SourceTable,
  StreamOptions,
  TableSnapshot,
} from '@sluice/source';
import type { QueryPool } from './connect/query-pool.ts';
import { readLogHead, writeMark } from './log-head.ts';
import type { RelationMessage } from './pgoutput/message.ts';
import type { RelationPlan } from './pgoutput/relation-plan.ts';
import { assertUsable } from './slots/slot-state.ts';
import { dropSlot, newSlotName, releaseSlot } from './slots/slots.ts';
import { exactChunks, openExactSnapshot } from './snapshot/exact-snapshot.ts';
import { keyedChunks } from './snapshot/keyed-snapshot.ts';
import { readRowsByKey } from './snapshot/rows-by-key.ts';
import { planSnapshot } from './snapshot/snapshot-query.ts';
import { streamChanges } from './stream/change-stream.ts';
import { missesChanges } from './tables/publication.ts';
import { readRelations, type RelationFacts } from './tables/relation-facts.ts';
import { ensureTypes, listSourceTables, planTable } from './tables/source-tables.ts';
import type { TypeCatalog } from './types/type-catalog.ts';

export interface ReplicationContext {
  readonly pool: QueryPool;
  readonly types: TypeCatalog;
  readonly publication: string;
  readonly slotNamePrefix: string;
  readonly snapshotTimeoutMs: number;
  readonly slotTimeoutMs: number;
  readonly streamTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const OWN_READER_PATIENCE_MS = 2000;

/** One slot, opened. Disposing ends its stream and its snapshots, and keeps the slot. */
export class PostgresReplication implements SourceReplication {
  readonly handle: string;
  readonly startPosition: SourcePosition;
  readonly #context: ReplicationContext;
  readonly #stop = new AbortController();
  /** Server processes that read the slot for this object. */
  readonly #readers = new Set<number>();
  #acknowledged: SourcePosition = '';
  #streaming = false;

  constructor(context: ReplicationContext, handle: string, startPosition: SourcePosition) {
    this.#context = context;
    this.handle = handle;
    this.startPosition = startPosition;
  }

  async listTables(patterns: readonly TablePattern[]): Promise<readonly SourceTable[]> {
    const { pool, types, publication, clock } = this.#context;
    try {
      return await listSourceTables(pool, types, { publication, patterns });
    } catch (error) {
      if (missesChanges(error)) {
        // At once, because after a quick repair nothing would tell that changes went by.
        this.#stop.abort(error);
        await dropSlot(pool, this.handle, clock);
      }
      throw error;
    }
  }

  acknowledge(position: SourcePosition): void {
    if (position > this.#acknowledged) this.#acknowledged = position;
  }

  async *stream(options: StreamOptions): AsyncGenerator<readonly ChangeEvent[]> {
    assert(!this.#streaming, 'a replication has one stream at a time');
    this.#streaming = true;
    const signal = AbortSignal.any([options.signal, this.#stop.signal]);
    try {
      signal.throwIfAborted();
      await this.#takeSlot(options.after);
      yield* streamChanges({
        ...this.#context,
        ...options,
        signal,
        slot: this.handle,
        describe: (relation) => this.#describe(relation),
        acknowledged: () => this.#acknowledged,
        mark: () => writeMark(this.#context.pool),
        onStarted: (pid) => this.#readers.add(pid),
      });
    } finally {
      this.#streaming = false;
    }
  }

  /** Waits for the end of an earlier stream of this object; any other reader is an error. */
  async #takeSlot(after: SourcePosition): Promise<void> {
    const { pool, clock } = this.#context;
    const slot = await releaseSlot(pool, this.handle, {
      clock,
      isOurs: (pid) => this.#readers.has(pid),
      patienceMs: OWN_READER_PATIENCE_MS,
    });
    assertUsable(this.handle, slot, { database: pool.settings.database, after });
  }

  async #describe(relation: RelationMessage): Promise<RelationPlan> {
    const { pool, types, publication } = this.#context;
    const oids = relation.columns.map(({ typeOid }) => typeOid);
    await types.ensure((sql) => pool.query('Reading types', sql), oids, { refresh: true });
    const [facts] = await readRelations(pool, publication, [String(relation.relationOid)]);
    return planTable(relation, facts, types);
  }

  async snapshot(table: SourceTable, options: SnapshotOptions): Promise<TableSnapshot> {
    const { pool, types, snapshotTimeoutMs: timeoutMs } = this.#context;
    const facts = await this.#factsOf(table);
    const plan = planSnapshot(table, facts, types);
    const signal = AbortSignal.any([options.signal, this.#stop.signal]);
    const estimatedRows = facts.estimatedRows < 0 ? undefined : facts.estimatedRows;
    if (plan.keyPlaces.length > 0) {
      const chunks = keyedChunks({
        settings: pool.settings,
        plan,
        progress: options.progress,
        head: () => readLogHead(pool),
        mark: () => writeMark(pool),
        timeoutMs,
        signal,
      });
      return { exactAt: undefined, estimatedRows, chunks };
    }
    const snapshot = await openExactSnapshot({
      settings: pool.settings,
      slotName: newSlotName(this.#context.slotNamePrefix, 'snapshot'),
      timeoutMs: this.#context.slotTimeoutMs,
      signal,
    });
    const chunks = exactChunks(snapshot, { plan, timeoutMs, signal });
    return { exactAt: snapshot.exactAt, estimatedRows, chunks };
  }

  async readRows(
    table: SourceTable,
    keys: readonly SqliteRow[],
  ): Promise<{ rows: readonly SqliteRow[]; position: SourcePosition }> {
    const { pool, types, snapshotTimeoutMs: timeoutMs } = this.#context;
    const plan = planSnapshot(table, await this.#factsOf(table), types);
    const rows = await readRowsByKey({
      settings: pool.settings,
      plan,
      keys,
      timeoutMs,
      signal: this.#stop.signal,
    });
    return { rows, position: await readLogHead(pool) };
  }

  async #factsOf(table: SourceTable): Promise<RelationFacts> {
    const { pool, types, publication } = this.#context;
    const [facts] = await readRelations(pool, publication, [table.relationId]);
    if (!facts) {
      throw new SourceError(
        'SOURCE_TABLE_CHANGED',
        `Table ${table.schema}.${table.name} does not exist any more`,
        { details: { relationId: table.relationId } },
      );
    }
    await ensureTypes(pool, types, [facts]);
    return facts;
  }

  /** Ends everything that is being read. Nobody needs to take what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new SourceError('SOURCE_CONNECTION_LOST', 'The replication was closed'));
    await Promise.resolve();
  }
}
