import { AppError, pause, type Clock, type Logger } from '@sluice/base';
import type { BucketStorage } from '@sluice/storage';
import type { ConcernedSessions } from '@sluice/sync';
import type { SyncPlan } from '@sluice/sync-config';
import type { ServiceConfig } from '../config/service-config.ts';
import type { AdminBackend } from '../http/backend.ts';
import { openBucketStorage, openChangeRelay, type StorageChange } from '../open-stores.ts';
import { toFailure } from '../replicator/messages.ts';
import { PendingRequests } from '../replicator/pending-requests.ts';
import type { ReplicationStatus } from '../service-status.ts';
import type { ClientSide } from '../serving/client-side.ts';
import { StorageKeeper } from '../storage-keeper.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { performAdmin } from './remote-admin.ts';
import { summedSessions } from './summed-sessions.ts';
import { launchWorkerProcess } from './worker-process.ts';
import { WorkerSlot } from './worker-slot.ts';

export interface WorkerPoolOptions {
  readonly config: ServiceConfig;
  readonly production: boolean;
  readonly admin: () => AdminBackend;
  readonly replication: () => ReplicationStatus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

/** A start that takes longer is not waited for; the worker may still come. */
const START_MS = 30_000;
const COUNT_MS = 5000;

/**
 * Serves clients by API workers, processes that share one port (docs/decisions/2026-11-25-api-workers.md).
 * This process keeps the replicator and the admin side, and hands on between the workers what they
 * cannot see: changes of the storage, at once, and what replication does.
 */
export class WorkerPool implements ClientSide {
  readonly #options: WorkerPoolOptions;
  readonly #slots: readonly WorkerSlot[];
  readonly #storage: StorageKeeper<ReturnType<typeof openChangeRelay>>;
  readonly #counts: PendingRequests<ConcernedSessions>;
  readonly #stop = new AbortController();
  #running: readonly Promise<void>[] = [];
  #url = '';

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    const { config, clock, logger, random } = options;
    const around = { clock, logger, random };
    const path = config.storage.path;
    this.#storage = new StorageKeeper({
      ...around,
      open: () => openBucketStorage({ path, mode: 'reader', logger }),
      use: () => openChangeRelay(path, (change) => this.#tellChange(change)),
    });
    this.#counts = new PendingRequests({
      clock,
      answerMs: COUNT_MS,
      unanswered: (seconds) =>
        new AppError('API_DEPLOY_UNANSWERED', `A worker did not count within ${seconds} s`),
    });
    this.#slots = Array.from({ length: config.api.workers }, (_, index) =>
      this.#newSlot(index + 1),
    );
  }

  get url(): string {
    return this.#url;
  }

  get streamCount(): number {
    return this.#slots.reduce((sum, { report }) => sum + report.streams, 0);
  }

  get storage(): BucketStorage | undefined {
    return this.#storage.opened?.storage;
  }

  requireStorage(): BucketStorage {
    return this.#storage.require().storage;
  }

  /** Workers that have just gone have no sessions; one that does not answer fails the count. */
  async concerned(_plan: SyncPlan, configText: string): Promise<ConcernedSessions> {
    const running = this.#slots.filter(({ isRunning }) => isRunning);
    const counts = running.map((slot) =>
      this.#counts.send((id) => slot.post({ kind: 'count', id, configText })),
    );
    return summedSessions(await Promise.all(counts));
  }

  /** The first worker finds out whether the port can be had, so that a failure is told once. */
  async listen(): Promise<void> {
    const [first, ...others] = this.#slots;
    if (!first) return;
    this.#launch(first);
    this.#url = await first.listening;
    for (const slot of others) this.#launch(slot);
    const all = Promise.allSettled(others.map(({ listening }) => listening));
    const timer = new AbortController();
    const either = AbortSignal.any([timer.signal, this.#stop.signal]);
    await Promise.race([all, pause(this.#options.clock, START_MS, either)]);
    timer.abort();
  }

  openStorage(signal: AbortSignal): Promise<void> {
    return this.#storage.run(signal);
  }

  replicationChanged(replication: ReplicationStatus): void {
    this.#tell({ kind: 'replication', replication });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#storage.opened;
    opened?.used[Symbol.dispose]();
    await opened?.storage[Symbol.asyncDispose]();
  }

  #newSlot(number: number): WorkerSlot {
    const { production, replication, clock, logger, random } = this.#options;
    const slot: WorkerSlot = new WorkerSlot({
      number,
      launch: launchWorkerProcess,
      begin: () => ({
        kind: 'begin',
        config: this.#configOfWorkers(),
        production,
        replication: replication(),
      }),
      onMessage: (message) => this.#take(slot, message),
      onEnded: () =>
        this.#counts.rejectAll(new AppError('SYNC_SHUTTING_DOWN', 'An API worker has ended')),
      clock,
      logger,
      random,
    });
    return slot;
  }

  /** Where any free port was asked for, all take the one that the first got. */
  #configOfWorkers(): ServiceConfig {
    const { config } = this.#options;
    return this.#url === '' ? config : { ...config, port: Number(new URL(this.#url).port || 80) };
  }

  #launch(slot: WorkerSlot): void {
    this.#running = [...this.#running, slot.run(this.#stop.signal)];
  }

  #take(slot: WorkerSlot, message: FromWorker): void {
    if (message.kind === 'changed') {
      this.#storage.opened?.used.tell(message.change);
      this.#tellChange(message.change, slot);
    } else if (message.kind === 'counted') {
      this.#counts.take(message.answer);
    } else if (message.kind === 'request') {
      void this.#answer(slot, message);
    }
  }

  async #answer(
    slot: WorkerSlot,
    { id, request }: Extract<FromWorker, { readonly kind: 'request' }>,
  ): Promise<void> {
    try {
      const outcome = await performAdmin(this.#options.admin(), request);
      slot.post({ kind: 'admin', answer: { kind: 'answer', id, outcome } });
    } catch (error) {
      slot.post({ kind: 'admin', answer: { kind: 'refusal', id, failure: toFailure(error) } });
    }
  }

  #tellChange(change: StorageChange, except?: WorkerSlot): void {
    this.#tell({ kind: 'changed', change }, except);
  }

  #tell(message: ToWorker, except?: WorkerSlot): void {
    for (const slot of this.#slots) if (slot !== except) slot.post(message);
  }
}
