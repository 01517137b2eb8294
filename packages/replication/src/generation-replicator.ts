import { BoundedQueue, type Clock, type Logger } from '@sluice/base';
import type { SourcePosition, SqliteRow } from '@sluice/model';
import type { ChangeEvent, ChangeSource, SourceReplication, SourceTable } from '@sluice/source';
import type { Generation, GenerationWriter } from '@sluice/storage';
import type { SyncPlan } from '@sluice/sync-config';
import { ChangeBuffer, copyKey, type IncompleteRow } from './change-buffer.ts';
import type { ReplicationLimits } from './limits.ts';
import type { ReplicatedTable } from './replicated-table.ts';
import { formatResumePoint, parseResumePoint } from './resume-point.ts';
import { snapshotSteps, type SnapshotStep } from './snapshot-feed.ts';
import type { ReplicationStatus, SnapshotStatus } from './status.ts';
import { TableRegistry } from './table-registry.ts';
import { WritePace } from './write-pace.ts';

export interface GenerationReplicatorOptions {
  readonly generation: Generation;
  readonly plan: SyncPlan;
  readonly source: ChangeSource;
  readonly replication: SourceReplication;
  readonly writer: GenerationWriter;
  readonly limits: ReplicationLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onStatus: (status: ReplicationStatus) => void;
  /** Called when the first checkpoint of a `preparing` generation has made it active. */
  readonly onActivated: () => void;
}

/** What the loop works off, in order of arrival. */
type Work =
  | { readonly kind: 'changes'; readonly events: readonly ChangeEvent[] }
  | SnapshotStep
  /** The tables as listed when the source stood at `head`. */
  | {
      readonly kind: 'tables';
      readonly found: readonly SourceTable[];
      readonly head: SourcePosition;
    }
  | { readonly kind: 'compact' }
  | { readonly kind: 'wake' };

/**
 * Fills one generation and keeps it up to date.
 *
 * Changes, snapshot rows and table lists arrive on one bounded queue; a single loop applies them in
 * order and writes batches. Streaming goes on during snapshots: a snapshot row counts only while the
 * stream has not brought a newer state of it (`ifAbsent`), and no checkpoint is published before
 * every snapshot is complete and the stream has passed the positions that its rows show.
 */
export class GenerationReplicator {
  readonly #options: GenerationReplicatorOptions;
  readonly #registry: TableRegistry;
  readonly #queue: BoundedQueue<Work>;
  readonly #pace: WritePace;
  #buffer: ChangeBuffer;

  #waitFor: SourcePosition = '';
  #removals: number[] = [];
  readonly #dirtyTables = new Set<ReplicatedTable>();
  #pendingTableList: { found: readonly SourceTable[]; head: SourcePosition } | undefined;
  #snapshotRunning = false;
  #snapshot: SnapshotStatus | undefined;

  #active: boolean;
  #checkpointOpId = 0n;
  #publishedPosition: SourcePosition = '';
  #publishedAtMs = 0;
  #wakeAtMs: number | undefined;
  #wroteSincePublish = false;
  #markSeen = false;

  constructor(options: GenerationReplicatorOptions) {
    this.#options = options;
    this.#active = options.generation.state === 'active';
    this.#queue = new BoundedQueue(options.limits.queuedRows);
    this.#pace = new WritePace(options.limits);
    this.#buffer = new ChangeBuffer(parseResumePoint(undefined));
    this.#registry = new TableRegistry({
      plan: options.plan,
      bucketPrefix: `${options.generation.id}#`,
      logger: options.logger,
    });
  }

  /** Runs until the signal aborts, which resolves, or something fails, which rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const endQueue = (): void => this.#queue.close();
    both.addEventListener('abort', endQueue, { once: true });
    const feeds: Promise<void>[] = [];
    try {
      await this.#prepare();
      feeds.push(this.#feed(this.#changes(both), both));
      feeds.push(this.#feed(this.#tableLists(both), both));
      feeds.push(this.#feed(this.#compactions(both), both));
      this.#startSnapshots(feeds, both);
      for await (const work of this.#queue) {
        if (both.aborted) break;
        await this.#handle(work);
        const delayMs = this.#writeDelayMs();
        if (delayMs === 0) await this.#flush();
        else if (delayMs !== undefined) this.#wakeAfter(delayMs, both);
        this.#startSnapshots(feeds, both);
      }
      if (!signal.aborted) await Promise.all(feeds); // rejects with what ended the queue
    } finally {
      stop.abort();
      await Promise.allSettled(feeds);
    }
  }

  async #prepare(): Promise<void> {
    const { writer, replication, plan } = this.#options;
    const progress = await writer.progress();
    const resume = parseResumePoint(progress.resume);
    this.#buffer = new ChangeBuffer(resume);
    this.#buffer.idle(replication.startPosition);
    this.#waitFor = resume.waitFor;
    this.#publishedPosition = progress.checkpoint?.position ?? '';
    this.#checkpointOpId = progress.checkpoint?.opId ?? 0n;
    const found = await replication.listTables(plan.tables);
    for (const id of this.#registry.restore(progress.tables, found)) this.#removeRows(id);
    for (const table of found) this.#adopt(table);
    for (const table of this.#registry.all()) {
      // Rows of a table without a key are counted, so a half-read snapshot cannot be continued.
      if (table.isKeyless && !table.snapshotDone) this.#restartSnapshot(table);
    }
    this.#report('connecting');
  }

  /** Runs a feed into the queue; its failure fails the queue, and with it the loop. */
  async #feed(work: AsyncIterable<Work>, signal: AbortSignal): Promise<void> {
    try {
      for await (const item of work) {
        if (!(await this.#queue.push(item, weightOf(item)))) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#queue.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async *#changes(signal: AbortSignal): AsyncGenerator<Work> {
    const { replication } = this.#options;
    const isWanted = (table: SourceTable): boolean => this.#registry.wants(table);
    const stream = replication.stream({ after: this.#buffer.position, isWanted, signal });
    for await (const events of stream) yield { kind: 'changes', events };
  }

  async *#tableLists(signal: AbortSignal): AsyncGenerator<Work> {
    const { source, replication, plan, clock, limits } = this.#options;
    for (;;) {
      await clock.sleep(limits.tablePollMs, signal);
      const found = await replication.listTables(plan.tables);
      if (!this.#differs(found)) continue;
      const head = await source.head();
      await source.mark();
      yield { kind: 'tables', found, head };
    }
  }

  async *#compactions(signal: AbortSignal): AsyncGenerator<Work> {
    const { clock, limits } = this.#options;
    for (;;) {
      await clock.sleep(limits.compactEveryMs, signal);
      yield { kind: 'compact' };
    }
  }

  #startSnapshots(feeds: Promise<void>[], signal: AbortSignal): void {
    if (this.#snapshotRunning || this.#registry.snapshotsDone) return;
    const pending = this.#registry.all().filter((table) => !table.snapshotDone);
    this.#snapshotRunning = true;
    feeds.push(this.#feed(snapshotSteps(this.#options.replication, pending, signal), signal));
  }

  async #handle(work: Work): Promise<void> {
    switch (work.kind) {
      case 'changes':
        return this.#applyEvents(work.events);
      case 'tables':
        this.#pendingTableList = work;
        this.#applyTableList();
        return undefined;
      case 'compact':
        return this.#compact();
      case 'wake':
        return undefined;
      case 'snapshot-start':
      case 'snapshot-chunk':
      case 'snapshot-end':
      case 'snapshots-end':
        return this.#applySnapshotStep(work);
    }
  }

  async #applyEvents(events: readonly ChangeEvent[]): Promise<void> {
    const copies = await this.#loadCopies(events);
    for (const event of events) {
      switch (event.kind) {
        case 'begin':
          this.#buffer.begin(event.transactionId, event.commitPosition);
          break;
        case 'commit':
          this.#buffer.commit(event.position, event.committedAtMs);
          this.#applyTableList();
          break;
        case 'idle':
          this.#buffer.idle(event.position);
          if (event.marked === true) this.#markSeen = true;
          this.#applyTableList();
          break;
        case 'table':
          this.#adopt(event.table);
          break;
        case 'truncate':
          if (this.#buffer.countChange()) this.#truncate(event.tables);
          break;
        case 'insert':
        case 'update':
        case 'delete': {
          if (!this.#buffer.countChange()) break;
          const table = this.#registry.get(event.table.relationId);
          if (table === undefined) break;
          if (table.opening !== undefined) await table.opening;
          this.#buffer.apply(table, event, copies);
          if (this.#buffer.weight >= this.#options.limits.batchBytes) await this.#flush();
          break;
        }
      }
    }
  }

  async #loadCopies(
    events: readonly ChangeEvent[],
  ): Promise<ReadonlyMap<string, Uint8Array | undefined>> {
    const copies = new Map<string, Uint8Array | undefined>();
    const refs = this.#buffer.missingCopies(this.#updatesThatMayOmit(events));
    if (refs.length === 0) return copies;
    const loaded = await this.#options.writer.loadCopies(refs);
    for (const [index, ref] of refs.entries()) {
      copies.set(copyKey(ref.tableId, ref.key), loaded[index]);
    }
    return copies;
  }

  *#updatesThatMayOmit(
    events: readonly ChangeEvent[],
  ): Generator<readonly [ReplicatedTable, ChangeEvent]> {
    for (const event of events) {
      if (event.kind !== 'update' || !event.table.mayOmitValues) continue;
      const table = this.#registry.get(event.table.relationId);
      if (table !== undefined && !table.isKeyless) yield [table, event];
    }
  }

  #truncate(tables: readonly SourceTable[]): void {
    for (const source of tables) {
      const table = this.#registry.get(source.relationId);
      if (table === undefined) continue;
      if (table.snapshotDone && table.isInSnapshot(this.#buffer.commitPosition)) continue;
      if (table.snapshotDone) this.#buffer.push({ kind: 'truncate', tableId: table.id });
      else this.#restartSnapshot(table); // rows read before the truncate may still be under way
    }
  }

  #restartSnapshot(table: ReplicatedTable): void {
    table.restartSnapshot();
    this.#buffer.push({ kind: 'truncate', tableId: table.id });
    this.#dirtyTables.add(table);
  }

  #adopt(source: SourceTable): void {
    const adoption = this.#registry.adopt(source);
    if (adoption.kind === 'added') {
      if (adoption.replaced !== undefined) this.#removeRows(adoption.replaced.id);
      this.#dirtyTables.add(adoption.table);
      this.#options.logger.info('replication_table_added', {
        table: `${source.schema}.${source.name}`,
      });
    }
    if (adoption.kind === 'gone') this.#remove(adoption.table);
  }

  #remove(table: ReplicatedTable): void {
    this.#registry.remove(table);
    this.#dirtyTables.delete(table);
    this.#removeRows(table.id);
    this.#options.logger.info('replication_table_removed', {
      table: `${table.source.schema}.${table.source.name}`,
    });
  }

  #removeRows(tableId: number): void {
    this.#buffer.push({ kind: 'truncate', tableId });
    this.#removals.push(tableId);
  }

  /** Whether a list of tables shows something that the change log has not announced (yet). */
  #differs(found: readonly SourceTable[]): boolean {
    const known = this.#registry.all();
    if (known.length !== found.length) return true;
    return found.some((table) => {
      const entry = this.#registry.get(table.relationId);
      return entry?.source.name !== table.name || entry.source.schema !== table.schema;
    });
  }

  /** A table list counts from where the source stood when it was made: older changes come first. */
  #applyTableList(): void {
    const list = this.#pendingTableList;
    if (list === undefined || this.#buffer.inTransaction || this.#buffer.position < list.head)
      return;
    this.#pendingTableList = undefined;
    const found = new Set(list.found.map((table) => table.relationId));
    for (const table of this.#registry.all()) {
      if (!found.has(table.source.relationId)) this.#remove(table);
    }
    for (const table of list.found) this.#adopt(table);
  }

  async #applySnapshotStep(step: SnapshotStep): Promise<void> {
    if (step.kind === 'snapshots-end') {
      this.#snapshotRunning = false;
      return;
    }
    const { table } = step;
    if (table.attempt !== step.attempt || table.state.snapshot.kind === 'done') return;
    if (step.kind === 'snapshot-start') {
      this.#reportSnapshot(table, step.estimatedRows);
      return;
    }
    if (step.kind === 'snapshot-chunk') {
      const { chunk } = step;
      const rowsDone = table.state.snapshot.rowsDone + chunk.rows.length;
      this.#buffer.applyChunk(table, chunk);
      if (chunk.position > this.#waitFor) this.#waitFor = chunk.position;
      table.setSnapshot({ kind: 'pending', progress: chunk.progress, rowsDone });
      this.#reportSnapshot(table, this.#snapshot?.estimatedRows);
    } else {
      this.#buffer.push({ kind: 'drop-tombstones', tableId: table.id });
      table.setSnapshot({ kind: 'done' });
      this.#options.logger.info('replication_table_snapshot_done', {
        table: `${table.source.schema}.${table.source.name}`,
      });
      if (this.#registry.snapshotsDone) {
        this.#snapshot = undefined;
        await this.#options.source.mark(); // an idle source must pass the position waited for
      }
    }
    this.#dirtyTables.add(table);
  }

  /** Milliseconds until what has been taken should be written; undefined when nothing has to be. */
  #writeDelayMs(): number | undefined {
    if (this.#buffer.weight >= this.#options.limits.batchBytes) return 0;
    if (this.#buffer.inTransaction) return undefined;
    if (this.#buffer.isEmpty && this.#dirtyTables.size === 0) {
      return this.#queue.weight === 0 && this.#hasNewPosition() ? 0 : undefined;
    }
    return this.#pace.delayMs({
      nowMs: this.#options.clock.now(),
      isBehind: this.#queue.weight > 0,
      isSnapshot: this.#snapshotRunning && !this.#registry.snapshotsDone,
    });
  }

  /** Has the loop look again after some time, although nothing may arrive. */
  #wakeAfter(delayMs: number, signal: AbortSignal): void {
    const atMs = this.#options.clock.now() + delayMs;
    if (this.#wakeAtMs !== undefined && this.#wakeAtMs <= atMs) return;
    this.#wakeAtMs = atMs;
    const wake = async (): Promise<void> => {
      await this.#options.clock.sleep(delayMs, signal).catch(() => {}); // the loop has ended
      if (this.#wakeAtMs === atMs) this.#wakeAtMs = undefined;
      await this.#queue.push({ kind: 'wake' }, 0);
    };
    void wake();
  }

  /** Whether a position without changes is worth a write; otherwise it is only acknowledged. */
  #hasNewPosition(): boolean {
    if (this.#buffer.position <= this.#publishedPosition) return false;
    const { clock, limits } = this.#options;
    const isDue = clock.now() - this.#publishedAtMs >= limits.idleCheckpointMs;
    const isAwaited = this.#wroteSincePublish || this.#markSeen;
    if ((isDue || isAwaited) && this.#readyToPublish()) return true;
    this.#options.replication.acknowledge(this.#buffer.position);
    return false;
  }

  async #flush(): Promise<void> {
    const { writer, replication, clock } = this.#options;
    const buffer = this.#buffer;
    await this.#reread();
    const ready = this.#readyToPublish();
    const changes = buffer.take();
    const tables = [...this.#dirtyTables].map((table) => table.stored());
    const forgetTables = this.#removals;
    const { position, partial } = buffer;
    this.#dirtyTables.clear();
    this.#removals = [];
    const startedAtMs = clock.now();
    const checkpoint = await writer.write({
      changes,
      resume: formatResumePoint({ position, partial, waitFor: this.#waitFor }),
      tables,
      forgetTables,
      checkpoint: ready ? position : undefined,
      activate: ready && !this.#active,
    });
    replication.acknowledge(position);
    this.#wroteSincePublish = true;
    this.#pace.written({ startedAtMs, endedAtMs: clock.now(), changes: changes.length });
    if (checkpoint !== undefined) {
      this.#wroteSincePublish = false;
      this.#markSeen = false;
      this.#checkpointOpId = checkpoint.opId;
      this.#publishedPosition = position;
      this.#publishedAtMs = clock.now();
      if (!this.#active) {
        this.#active = true;
        this.#options.onActivated();
      }
    }
    this.#report(ready ? 'streaming' : 'snapshot');
  }

  #readyToPublish(): boolean {
    return (
      !this.#buffer.inTransaction &&
      this.#buffer.partial === undefined &&
      this.#buffer.position !== '' &&
      this.#buffer.position >= this.#waitFor &&
      this.#registry.snapshotsDone
    );
  }

  /** Fetches rows that an update left incomplete and that were never stored whole. */
  async #reread(): Promise<void> {
    const incomplete = this.#buffer.takeIncomplete();
    for (const [table, rows] of rowsByTable(incomplete)) {
      const { replication } = this.#options;
      const fresh = await replication.readRows(table.source, rows);
      for (const row of fresh.rows) this.#buffer.applyReread(table, row);
      if (fresh.position > this.#waitFor) this.#waitFor = fresh.position;
      await this.#options.source.mark();
    }
  }

  async #compact(): Promise<void> {
    const { writer, limits, logger } = this.#options;
    const report = await writer.compact({ maxMs: limits.compactSliceMs });
    if (report.segmentsWritten > 0) logger.debug('storage_compacted', { ...report });
  }

  #reportSnapshot(table: ReplicatedTable, estimatedRows: number | undefined): void {
    const all = this.#registry.all();
    const { snapshot } = table.state;
    this.#snapshot = {
      table: `${table.source.schema}.${table.source.name}`,
      tablesDone: all.filter((other) => other.snapshotDone).length,
      tablesTotal: all.length,
      rowsDone: snapshot.kind === 'pending' ? snapshot.rowsDone : 0,
      estimatedRows,
    };
    this.#report('snapshot');
  }

  #report(phase: ReplicationStatus['phase']): void {
    const { generation, clock, onStatus } = this.#options;
    const { committedAtMs } = this.#buffer;
    onStatus({
      generationId: generation.id,
      phase,
      snapshot: this.#snapshot,
      position: this.#buffer.position,
      checkpointOpId: this.#checkpointOpId,
      rowsTotal: this.#buffer.rowsTotal,
      commitLagMs: committedAtMs === undefined ? undefined : clock.now() - committedAtMs,
    });
  }
}

function weightOf(work: Work): number {
  if (work.kind === 'changes') return work.events.length;
  return work.kind === 'snapshot-chunk' ? work.chunk.rows.length : 1;
}

function rowsByTable(incomplete: readonly IncompleteRow[]): Map<ReplicatedTable, SqliteRow[]> {
  const byTable = new Map<ReplicatedTable, SqliteRow[]>();
  for (const { table, row } of incomplete) {
    const rows = byTable.get(table);
    if (rows === undefined) byTable.set(table, [row]);
    else rows.push(row);
  }
  return byTable;
}
