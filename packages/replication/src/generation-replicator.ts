import { BoundedQueue, type Clock, type Logger } from '@sluice/base';
import type { ChangeSource, SourceReplication } from '@sluice/source';
import type { Generation, GenerationWriter, WriterProgress } from '@sluice/storage';
import { BatchWriter } from './batch-writer.ts';
import { ChangeStream, type ArrivedChanges } from './change-stream.ts';
import type { PlanOf } from './config-set.ts';
import { ConfigSwitcher, type ConfigChange } from './config-switcher.ts';
import type { ConfigEvent } from './configs/config-changes.ts';
import { EventApplier } from './event-applier.ts';
import type { ReplicationLimits } from './limits.ts';
import { PendingWork } from './pending-work.ts';
import { parseResumePoint } from './resume-point.ts';
import type { SnapshotStep } from './snapshot-feed.ts';
import { Snapshots } from './snapshots.ts';
import { ConfigStatuses, type ReplicationStatus } from './status.ts';
import { TableChanges } from './table-changes.ts';
import { tableLists, type TableList } from './table-lists.ts';
import { TableRegistry } from './table-registry.ts';
import { Waker } from './waker.ts';

export interface GenerationReplicatorOptions {
  readonly generation: Generation;
  /** What `writer` says of the generation. */
  readonly progress: WriterProgress;
  readonly planOf: PlanOf;
  readonly source: ChangeSource;
  readonly replication: SourceReplication;
  readonly writer: GenerationWriter;
  readonly limits: ReplicationLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Digest of the config file that a new generation was made for. */
  readonly configFile: string | undefined;
  readonly onStatus: (status: ReplicationStatus) => void;
  /** Called when the first checkpoint of a `preparing` generation has made it active. */
  readonly onActivated: () => void;
}

/** What the loop works off, in order of arrival. */
type Work =
  | ArrivedChanges
  | SnapshotStep
  | TableList
  | { readonly kind: 'upkeep' }
  | { readonly kind: 'wake' };

/**
 * Fills one generation and keeps it up to date.
 *
 * Changes, snapshot rows and table lists arrive on one bounded queue; a single loop applies them in
 * order and writes batches. Streaming goes on during snapshots: a snapshot row counts only while the
 * stream has not brought a newer state of it (`ifAbsent`), and no checkpoint is published before
 * every snapshot that the serving config needs is complete and the stream has passed the positions
 * that its rows show. Once the same holds for the next config, one write makes it the serving one.
 */
export class GenerationReplicator {
  readonly #options: GenerationReplicatorOptions;
  readonly #registry: TableRegistry;
  readonly #queue: BoundedQueue<Work>;
  readonly #work: PendingWork;
  readonly #tables: TableChanges;
  readonly #events: EventApplier;
  readonly #snapshots: Snapshots;
  readonly #statuses: ConfigStatuses;
  readonly #batches: BatchWriter;
  readonly #stop = new AbortController();
  readonly #stream: ChangeStream;
  readonly #feeds: Promise<void>[] = [];
  /** Has the loop look again after some time, although nothing may arrive. */
  readonly #waker: Waker;

  readonly #configs: ConfigSwitcher;
  #hasMoreToCompact = false;

  constructor(options: GenerationReplicatorOptions) {
    this.#options = options;
    const { generation, limits, logger, progress } = options;
    const resume = parseResumePoint(progress.resume);
    this.#queue = new BoundedQueue(limits.queuedRows);
    this.#waker = new Waker(options.clock, this.#stop.signal, () => this.#wake());
    this.#work = new PendingWork(resume);
    this.#registry = new TableRegistry(logger);
    this.#tables = new TableChanges(this.#registry, this.#work, logger);
    this.#stream = new ChangeStream({
      replication: options.replication,
      run: (changes, signal) => this.#feed(changes, signal),
      signal: this.#stop.signal,
    });
    const parts = { ...options, registry: this.#registry, work: this.#work, tables: this.#tables };
    this.#batches = new BatchWriter({
      ...parts,
      resume: { ...resume, configFile: options.configFile ?? resume.configFile },
      isActive: generation.state === 'active',
      patterns: () => this.#stream.patterns,
    });
    this.#events = new EventApplier({
      ...parts,
      batchBytes: () => limits.batchBytes,
      flush: () => this.#flush(),
    });
    this.#configs = new ConfigSwitcher({
      ...parts,
      configs: generation.configs,
      batches: this.#batches,
      events: this.#events,
      stream: this.#stream,
      rollbackKeepMs: limits.rollbackKeepMs,
    });
    this.#snapshots = new Snapshots({ ...parts, retryMs: limits.fillRetryMs });
    this.#statuses = new ConfigStatuses(this.#registry, this.#snapshots);
  }

  /**
   * Changes the configs of the generation, between two source transactions. Resolves once that is
   * durable; when all buckets of the next config are there already, it serves by then.
   *
   * @throws AppError `REPLICATION_STOPPED` when `run` ends before.
   */
  change(event: ConfigEvent, configFile?: string): Promise<ConfigChange> {
    const change = this.#configs.request(event, configFile);
    this.#wake();
    return change;
  }

  /** Runs until the signal aborts, which resolves, or something fails, which rejects. Only once. */
  async run(signal: AbortSignal): Promise<void> {
    const end = (): void => {
      this.#stop.abort();
      this.#queue.close();
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      await this.#prepare();
      if (!signal.aborted) this.#startFeeds();
      for await (const work of this.#queue) {
        if (signal.aborted) break;
        await this.#handle(work);
        await this.#writeWhenDue();
        await this.#configs.changeWhenDue();
        this.#startSnapshots();
      }
      if (!signal.aborted) await Promise.all(this.#feeds); // rejects with what ended the queue
    } finally {
      signal.removeEventListener('abort', end);
      end();
      this.#configs.end();
      await Promise.allSettled([...this.#feeds, this.#stream.ended]);
    }
  }

  async #prepare(): Promise<void> {
    const { progress, replication, source } = this.#options;
    this.#work.buffer.idle(replication.startPosition);
    const found = await replication.listTables(this.#registry.patterns);
    const head = await source.head();
    const { nextTableId, partial } = this.#batches.resume;
    const { obsolete, orphaned } = this.#registry.restore(progress.tables, found, nextTableId);
    for (const id of obsolete) this.#work.removeRows(id);
    for (const table of found) this.#tables.adopt(table);
    for (const table of this.#registry.unread()) {
      // Rows of a table without a key are counted, so a half-read snapshot cannot be continued.
      if (table.isKeyless) this.#work.restartSnapshot(table);
    }
    // What is gone was there at the position reached; so it was for what is filled.
    if (obsolete.length > 0) this.#batches.remember({ notBefore: head });
    this.#configs.noteListed(head);
    if (obsolete.length > 0 || this.#configs.isFilling) await source.mark();
    this.#batches.addDiscarded({ prefixes: [], tables: orphaned });
    await this.#batches.discardSome(); // before anything is written that storage is to ignore
    // A transaction that is stored in part must be counted as it was.
    const patterns = partial?.patterns ?? this.#registry.patterns;
    this.#stream.startAfter(this.#work.buffer.position, patterns);
    this.#report('connecting');
  }

  #startFeeds(): void {
    const { signal } = this.#stop;
    const { limits } = this.#options;
    const lists = tableLists(
      { ...this.#options, registry: this.#registry, pollMs: limits.tablePollMs },
      signal,
    );
    this.#feeds.push(this.#feed(lists, signal), this.#feed(this.#upkeeps(signal), signal));
    this.#wake();
  }

  #wake(): void {
    void this.#queue.push({ kind: 'wake' }, 0);
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

  async *#upkeeps(signal: AbortSignal): AsyncGenerator<Work> {
    const { clock, limits } = this.#options;
    for (;;) {
      const hasMore = this.#hasMoreToCompact || this.#batches.isDiscarding;
      await clock.sleep(hasMore ? limits.compactPauseMs : limits.compactEveryMs, signal);
      yield { kind: 'upkeep' };
    }
  }

  #startSnapshots(): void {
    const { signal } = this.#stop;
    for (const steps of this.#snapshots.start(signal)) this.#feeds.push(this.#feed(steps, signal));
    const { retryAtMs } = this.#snapshots;
    if (retryAtMs !== undefined) this.#waker.wakeAfter(retryAtMs - this.#options.clock.now());
  }

  async #handle(work: Work): Promise<void> {
    switch (work.kind) {
      case 'changes':
        return this.#stream.isCurrent(work) ? this.#events.apply(work.events) : undefined;
      case 'tables':
        return this.#tables.expect(work);
      case 'upkeep':
        return this.#upkeep();
      case 'wake':
        return undefined;
      case 'snapshot-start':
      case 'snapshot-chunk':
      case 'snapshot-end':
      case 'snapshot-gone':
      case 'snapshot-failed':
      case 'snapshots-end':
        await this.#snapshots.apply(work);
        if (work.kind !== 'snapshot-end') this.#report();
        return undefined;
    }
  }

  async #writeWhenDue(): Promise<void> {
    const delayMs = this.#writeDelayMs();
    if (delayMs === 0) await this.#flush();
    else if (delayMs !== undefined) this.#waker.wakeAfter(delayMs);
  }

  /** Milliseconds until what has been taken should be written; undefined when nothing has to be. */
  #writeDelayMs(): number | undefined {
    if (this.#configs.isSwitchDue) return 0;
    const isBehind = this.#queue.weight > 0;
    if (!this.#batches.hasChanges) {
      const isIdle = !this.#work.buffer.inTransaction && !isBehind;
      return isIdle && this.#hasNewPosition() ? 0 : undefined;
    }
    const unread = this.#registry.unread();
    const snapshotRuns = unread.some(({ roles }) => roles.has('serving'));
    const isFilling = this.#batches.isActive && !snapshotRuns && unread.length > 0;
    return this.#batches.delayMs({ isBehind, snapshotRuns, isFilling });
  }

  /** Whether a position without changes is worth a write; otherwise it is only acknowledged. */
  #hasNewPosition(): boolean {
    const wants = this.#batches.wantsPosition(this.#events.markSeen);
    if (wants && this.#configs.publishable() !== undefined) return true;
    this.#options.replication.acknowledge(this.#work.buffer.position);
    return false;
  }

  /** Writes what is pending; with a checkpoint, and with the switch of configs, where they are due. */
  async #flush(): Promise<void> {
    await this.#events.reread();
    const shown = this.#configs.publishable();
    if (shown === 'next') await this.#configs.switch();
    else {
      const { activated } = await this.#batches.write({ publishes: shown === 'serving' });
      if (activated) this.#options.onActivated();
    }
    if (shown !== undefined) this.#events.resetMark();
    this.#report();
  }

  async #upkeep(): Promise<void> {
    const { writer, limits, logger } = this.#options;
    if (this.#batches.isDiscarding) return this.#batches.discardSome();
    const report = await writer.compact({ maxMs: limits.compactSliceMs });
    this.#hasMoreToCompact = report.more;
    if (report.segmentsWritten > 0) logger.debug('storage_compacted', { ...report });
    return undefined;
  }

  #report(phase?: ReplicationStatus['phase']): void {
    const { generation, clock, onStatus } = this.#options;
    const { buffer } = this.#work;
    const { committedAtMs, position } = buffer;
    const configs = this.#statuses.of(this.#configs.planned);
    const isServing = this.#registry.isComplete('serving', position);
    onStatus({
      generationId: generation.id,
      phase: phase ?? (isServing ? 'streaming' : 'snapshot'),
      snapshot: configs.find(({ role }) => role === 'serving')?.snapshot,
      position,
      checkpointOpId: this.#batches.checkpointOpId,
      rowsTotal: buffer.rowsTotal,
      commitLagMs: committedAtMs === undefined ? undefined : clock.now() - committedAtMs,
      configs,
    });
  }
}

function weightOf(work: Work): number {
  if (work.kind === 'changes') return work.events.length;
  return work.kind === 'snapshot-chunk' ? work.chunk.rows.length : 1;
}
