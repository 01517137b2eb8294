import type { Clock } from '@sluice/base';
import type { OpId, SourcePosition, TablePattern } from '@sluice/model';
import type { SourceReplication } from '@sluice/source';
import type {
  Discarded,
  GenerationConfigs,
  GenerationWriter,
  WriterProgress,
} from '@sluice/storage';
import type { ReplicationLimits } from './limits.ts';
import type { PendingWork } from './pending-work.ts';
import {
  formatResumePoint,
  NOTHING_TO_DISCARD,
  type PartialTransaction,
  type ResumePoint,
} from './resume-point.ts';
import type { TableRegistry } from './table-registry.ts';
import { WritePacing } from './write-pacing.ts';

export interface BatchWriterOptions {
  readonly writer: GenerationWriter;
  readonly replication: Pick<SourceReplication, 'acknowledge'>;
  readonly registry: TableRegistry;
  readonly work: PendingWork;
  readonly limits: ReplicationLimits;
  readonly clock: Clock;
  readonly progress: WriterProgress;
  readonly resume: ResumePoint;
  readonly isActive: boolean;
  /** The tables whose changes are asked for now. */
  readonly patterns: () => readonly TablePattern[];
}

/** What a batch is besides its rows. */
export interface BatchKind {
  readonly publishes: boolean;
  readonly configs?: GenerationConfigs | undefined;
}

/** Writes batches, and remembers what is durable and what clients have been shown. */
export class BatchWriter {
  readonly #options: BatchWriterOptions;
  readonly #pacing: WritePacing;
  #resume: ResumePoint;
  #isResumeDirty = false;
  #isActive: boolean;
  #checkpointOpId: OpId | undefined;
  #publishedPosition: SourcePosition;
  #publishedAtMs = 0;
  #wroteSincePublish = false;

  constructor(options: BatchWriterOptions) {
    this.#options = options;
    this.#pacing = new WritePacing(options.limits);
    this.#resume = options.resume;
    this.#isActive = options.isActive;
    this.#checkpointOpId = options.progress.checkpoint?.opId;
    this.#publishedPosition = options.progress.checkpoint?.position ?? '';
  }

  get isActive(): boolean {
    return this.#isActive;
  }
  get checkpointOpId(): OpId | undefined {
    return this.#checkpointOpId;
  }
  get resume(): ResumePoint {
    return this.#resume;
  }

  /** Changes what is remembered with the next batch. */
  remember(change: Partial<ResumePoint>): void {
    this.#resume = { ...this.#resume, ...change };
    this.#isResumeDirty = true;
  }

  get hasChanges(): boolean {
    return !this.#options.work.isEmpty || this.#isResumeDirty || this.#isStoredInPart;
  }

  /**
   * Whether storage still says of a transaction that only its beginning is there. Before the end is
   * written the source must not be told that it may forget the transaction: after a restart it would
   * be waited for in vain.
   */
  get #isStoredInPart(): boolean {
    return this.#resume.partial !== undefined && this.#options.work.buffer.partial === undefined;
  }

  /** Milliseconds until what is pending should be written. */
  delayMs(situation: {
    readonly isBehind: boolean;
    readonly snapshotRuns: boolean;
    readonly isFilling: boolean;
  }): number | undefined {
    const { clock, work } = this.#options;
    return this.#pacing.delayMs({
      ...situation,
      nowMs: clock.now(),
      pendingBytes: work.buffer.weight,
      hasChanges: this.hasChanges,
      inTransaction: work.buffer.inTransaction,
    });
  }

  /** Whether to publish the position reached although it brought no changes. */
  wantsPosition(isAwaited: boolean): boolean {
    const { clock, limits, work } = this.#options;
    if (work.buffer.position <= this.#publishedPosition) return false;
    const isDue = clock.now() - this.#publishedAtMs >= limits.idleCheckpointMs;
    return isDue || isAwaited || this.#wroteSincePublish;
  }

  /** Writes all that is pending in one transaction. Resolves with whether it made the generation active. */
  async write({ publishes, configs }: BatchKind): Promise<{ readonly activated: boolean }> {
    const { writer, replication, work, clock } = this.#options;
    const { position } = work.buffer;
    this.#resume = {
      ...this.#resume,
      position,
      partial: this.#partial(),
      nextTableId: this.#options.registry.nextId,
    };
    this.#isResumeDirty = false;
    const taken = work.take();
    const startedAtMs = clock.now();
    const checkpoint = await writer.write({
      ...taken,
      resume: formatResumePoint(this.#resume),
      checkpoint: publishes ? position : undefined,
      activate: publishes && !this.#isActive,
      configs,
    });
    replication.acknowledge(position);
    this.#wroteSincePublish = true;
    const changes = taken.changes.length;
    this.#pacing.noteWrite({ startedAtMs, endedAtMs: clock.now(), changes });
    if (checkpoint === undefined) return { activated: false };
    this.#wroteSincePublish = false;
    this.#checkpointOpId = checkpoint.opId;
    this.#publishedPosition = position;
    this.#publishedAtMs = clock.now();
    const activated = !this.#isActive;
    this.#isActive = true;
    return { activated };
  }

  #partial(): PartialTransaction | undefined {
    const { partial } = this.#options.work.buffer;
    return partial && { ...partial, patterns: this.#options.patterns() };
  }

  get isDiscarding(): boolean {
    const { prefixes, tables } = this.#resume.discard;
    return prefixes.length > 0 || tables.length > 0;
  }

  /** Adds to what is to be discarded, durably with the next batch. */
  addDiscarded({ prefixes, tables }: Discarded): void {
    if (prefixes.length === 0 && tables.length === 0) return;
    const { discard } = this.#resume;
    this.remember({
      discard: {
        prefixes: [...new Set([...discard.prefixes, ...prefixes])],
        tables: [...new Set([...discard.tables, ...tables])],
      },
    });
  }

  /** Works on what is to be discarded for a while; from the first call on storage ignores it. */
  async discardSome(): Promise<void> {
    const { writer, limits, work } = this.#options;
    if (!this.isDiscarding) return;
    const { discard } = this.#resume;
    const { more } = await writer.discard(discard, { maxMs: limits.compactSliceMs });
    if (more) return;
    work.forget(discard.tables);
    this.remember({ discard: NOTHING_TO_DISCARD });
  }
}
