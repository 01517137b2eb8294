import type { Clock, Logger } from '@sluice/base';
import type { ChangeSource, SourceReplication } from '@sluice/source';
import type { PendingWork } from './pending-work.ts';
import type { ReplicatedTable } from './replicated-table.ts';
import {
  snapshotSteps,
  type SnapshotLane,
  type SnapshotStep,
  type TableStep,
} from './snapshot-feed.ts';
import type { TableChanges } from './table-changes.ts';
import type { TableRegistry } from './table-registry.ts';

export interface SnapshotsOptions {
  readonly registry: TableRegistry;
  readonly tables: TableChanges;
  readonly work: PendingWork;
  readonly source: Pick<ChangeSource, 'head' | 'mark'>;
  readonly replication: Pick<SourceReplication, 'snapshot'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retryMs: number;
}

/** The table being read in a lane. */
export interface OpenSnapshot {
  readonly table: ReplicatedTable;
  readonly estimatedRows: number | undefined;
}

/** Reads the tables that have not been read yet, beside the stream. */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  /** What each lane is reading, one after the other. */
  readonly #running = new Map<SnapshotLane, ReadonlySet<ReplicatedTable>>();
  readonly #open = new Map<SnapshotLane, OpenSnapshot>();
  #retryAtMs: number | undefined;
  #steps = 0;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  /** When reading what failed is tried again; undefined while nothing did. */
  get retryAtMs(): number | undefined {
    return this.#retryAtMs;
  }

  /** Rises with every step taken. */
  get steps(): number {
    return this.#steps;
  }

  openIn(lane: SnapshotLane): OpenSnapshot | undefined {
    return this.#open.get(lane);
  }

  /** What has to be read and is not being read: for each such lane its steps. */
  *start(signal: AbortSignal): Generator<AsyncIterable<SnapshotStep>> {
    const { registry, clock } = this.#options;
    if (this.#running.size === 2) return;
    const unread = registry.unread();
    if (unread.length === 0) return;
    for (const lane of ['serving', 'background'] as const) {
      if (this.#running.has(lane)) continue;
      const tables = unread.filter((table) => laneOf(table) === lane && !this.#isReading(table));
      if (tables.length === 0) continue;
      if (lane === 'background' && clock.now() < (this.#retryAtMs ?? 0)) continue;
      this.#running.set(lane, new Set(tables));
      if (lane === 'background') this.#retryAtMs = undefined;
      yield snapshotSteps(tables, { ...this.#options, lane, signal });
    }
  }

  /** A table may have been needed by the serving config when its reading began. */
  #isReading(table: ReplicatedTable): boolean {
    return [...this.#running.values()].some((tables) => tables.has(table));
  }

  async apply(step: SnapshotStep): Promise<void> {
    this.#steps += 1;
    if (step.kind === 'snapshots-end') {
      this.#running.delete(step.lane);
      this.#open.delete(step.lane);
      return;
    }
    const { table } = step;
    if (table.attempt !== step.attempt || table.state.snapshot.kind === 'done') return;
    await this.#applyTableStep(step);
  }

  async #applyTableStep(step: TableStep): Promise<void> {
    const { tables, work, logger, clock, retryMs } = this.#options;
    const { table } = step;
    const name = `${table.source.schema}.${table.source.name}`;
    switch (step.kind) {
      case 'snapshot-start':
        table.problem = undefined;
        this.#open.set(laneOf(table), { table, estimatedRows: step.estimatedRows });
        return undefined;
      case 'snapshot-gone':
        tables.remove(table); // what has become of it will be found by listing the tables
        return undefined;
      case 'snapshot-failed': {
        const { code, message } = step.error;
        logger.error('replication_fill_failed', { table: name, code, message });
        table.problem = step.error;
        this.#retryAtMs = clock.now() + retryMs;
        if (table.isKeyless) work.restartSnapshot(table);
        return undefined;
      }
      case 'snapshot-chunk':
        this.#applyChunk(table, step.chunk);
        return undefined;
      case 'snapshot-end':
        work.buffer.push({ kind: 'drop-tombstones', tableId: table.id });
        table.setSnapshot({ kind: 'done' });
        table.waitFor(step.head);
        work.markDirty(table);
        logger.info('replication_table_snapshot_done', { table: name, fill: table.state.fill });
        return this.#markWhenDone(laneOf(table));
    }
  }

  #applyChunk(
    table: ReplicatedTable,
    chunk: Extract<TableStep, { kind: 'snapshot-chunk' }>['chunk'],
  ) {
    const { work } = this.#options;
    const { snapshot } = table.state;
    const before = snapshot.kind === 'pending' ? snapshot.rowsDone : 0;
    const rowsDone = before + chunk.rows.length;
    work.buffer.applyChunk(table, chunk);
    table.waitFor(chunk.position);
    table.setSnapshot({ kind: 'pending', progress: chunk.progress, rowsDone });
    work.markDirty(table);
  }

  /** An idle source must pass the position that is waited for. */
  async #markWhenDone(lane: SnapshotLane): Promise<void> {
    const { registry, source } = this.#options;
    if (!registry.unread().some((table) => laneOf(table) === lane)) await source.mark();
  }
}

function laneOf(table: ReplicatedTable): SnapshotLane {
  return table.roles.has('serving') ? 'serving' : 'background';
}
