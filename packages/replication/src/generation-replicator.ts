import { BoundedQueue, pause, type Clock, type Logger } from '@sluice/base';
import type { OpId, SourcePosition, SqliteRow } from '@sluice/model';
import type { ChangeEvent, ChangeSource, SourceReplication, SourceTable } from '@sluice/source';
import type { Generation, GenerationWriter } from '@sluice/storage';
import type { SyncPlan } from '@sluice/sync-config';
import { ChangeBuffer, copyKey } from './change-buffer.ts';
import type { ReplicationLimits } from './limits.ts';
import type { ReplicatedTable } from './replicated-table.ts';
import { formatResumePoint, parseResumePoint } from './resume-point.ts';
import { isTableChanged, snapshotSteps, type SnapshotStep } from './snapshot-feed.ts';
import { snapshotStatus, type ReplicationStatus, type SnapshotStatus } from './status.ts';
import { tableLists, type TableList } from './table-lists.ts';
import { TableRegistry } from './table-registry.ts';
import { WritePacing } from './write-pacing.ts';

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
  | TableList
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
  readonly #pacing: WritePacing;
  #buffer: ChangeBuffer;

  #waitFor: SourcePosition = '';
  #removals: number[] = [];
  readonly #dirtyTables = new Set<ReplicatedTable>();
  #pendingTableList: TableList | undefined;
  #snapshotRunning = false;
  #snapshot: SnapshotStatus | undefined;

  #active: boolean;
  #checkpointOpId: OpId | undefined;
  #publishedPosition: SourcePosition = '';
  #publishedAtMs = 0;
  #wakeAtMs: number | undefined;
  #wroteSincePublish = false;
  #markSeen = false;
  #hasMoreToCompact = false;

  constructor(options: GenerationReplicatorOptions) {
    this.#options = options;
    this.#active = options.generation.state === 'active';
    this.#queue = new BoundedQueue(options.limits.queuedRows);
    this.#pacing = new WritePacing(options.limits);
    this.#buffer = new ChangeBuffer(parseResumePoint(undefined));
    this.#registry = new TableRegistry({
      plan: options.plan,
      prefixes: new Map(
        options.plan.definitions.map(({ hash }) => [hash, `${options.generation.id}#`]),
      ),
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
    this.#checkpointOpId = progress.checkpoint?.opId;
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

  #tableLists(signal: AbortSignal): AsyncIterable<Work> {
    const { plan, limits, ...around } = this.#options;
    const [registry, pollMs] = [this.#registry, limits.tablePollMs];
    return tableLists({ ...around, patterns: plan.tables, registry, pollMs }, signal);
  }

  async *#compactions(signal: AbortSignal): AsyncGenerator<Work> {
    const { clock, limits } = this.#options;
    for (;;) {
      await clock.sleep(
        this.#hasMoreToCompact ? limits.compactPauseMs : limits.compactEveryMs,
        signal,
      );
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
      case 'snapshot-gone':
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
          await this.#reread(); // while the rows that wait for it are still laid out as the table
          this.#adopt(event.table);
          break;
        case 'truncate':
          if (this.#buffer.countChange()) this.#truncate(event.tables);
          break;
        case 'insert':
        case 'update':
        case 'delete': {
          if (!this.#buffer.countChange()) break;
          const table = this.#tableOf(event.table);
          if (table === undefined) break;
          if (table.opening !== undefined) await table.opening;
          this.#buffer.apply(table, event, copies);
          if (this.#buffer.weight >= this.#options.limits.batchBytes) await this.#flush();
          break;
        }
      }
    }
  }

  /** A row is laid out as its own definition says, whatever a list of tables has said since. */
  #tableOf(source: SourceTable): ReplicatedTable | undefined {
    const known = this.#registry.get(source.relationId);
    if (known?.source === source) return known;
    this.#adopt(source);
    return this.#registry.get(source.relationId);
  }

  async #loadCopies(
    events: readonly ChangeEvent[],
  ): Promise<ReadonlyMap<string, Uint8Array | undefined>> {
    const copies = new Map<string, Uint8Array | undefined>();
    const refs = this.#buffer.missingCopies(this.#registry.updatesThatMayOmit(events));
    if (refs.length === 0) return copies;
    const loaded = await this.#options.writer.loadCopies(refs);
    for (const [index, ref] of refs.entries()) {
      copies.set(copyKey(ref.tableId, ref.key), loaded[index]);
    }
    return copies;
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
    if (step.kind === 'snapshot-gone') {
      this.#remove(table); // what has become of it will be found by listing the tables
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
    const buffer = this.#buffer;
    const isBehind = this.#queue.weight > 0;
    const hasChanges = !buffer.isEmpty || this.#dirtyTables.size > 0;
    if (!hasChanges) {
      return !buffer.inTransaction && !isBehind && this.#hasNewPosition() ? 0 : undefined;
    }
    return this.#pacing.delayMs({
      nowMs: this.#options.clock.now(),
      pendingBytes: buffer.weight,
      hasChanges,
      inTransaction: buffer.inTransaction,
      isBehind,
      snapshotRuns: this.#snapshotRunning && !this.#registry.snapshotsDone,
    });
  }

  /** Has the loop look again after some time, although nothing may arrive. */
  #wakeAfter(delayMs: number, signal: AbortSignal): void {
    const atMs = this.#options.clock.now() + delayMs;
    if (this.#wakeAtMs !== undefined && this.#wakeAtMs <= atMs) return;
    this.#wakeAtMs = atMs;
    const wake = async (): Promise<void> => {
      await pause(this.#options.clock, delayMs, signal);
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
    this.#pacing.noteWrite({ startedAtMs, endedAtMs: clock.now(), changes: changes.length });
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
    for (const [table, rows] of this.#buffer.takeIncomplete()) {
      const fresh = await this.#rowsNow(table, rows);
      if (fresh === undefined) continue;
      for (const row of fresh.rows) this.#buffer.applyReread(table, row);
      if (fresh.position > this.#waitFor) this.#waitFor = fresh.position;
      await this.#options.source.mark();
    }
  }

  /** Undefined when the table is no longer what it was: it is forgotten, and listed anew. */
  async #rowsNow(table: ReplicatedTable, rows: readonly SqliteRow[]) {
    try {
      return await this.#options.replication.readRows(table.source, rows);
    } catch (error) {
      if (!isTableChanged(error)) throw error;
      this.#remove(table);
      return undefined;
    }
  }

  async #compact(): Promise<void> {
    const { writer, limits, logger } = this.#options;
    const report = await writer.compact({ maxMs: limits.compactSliceMs });
    this.#hasMoreToCompact = report.more;
    if (report.segmentsWritten > 0) logger.debug('storage_compacted', { ...report });
  }

  #reportSnapshot(table: ReplicatedTable, estimatedRows: number | undefined): void {
    this.#snapshot = snapshotStatus(table, this.#registry.all(), estimatedRows);
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
