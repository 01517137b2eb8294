import { AppError, pause, toAppError, type Clock, type Logger } from '@sluice/base';
import type { BucketStorage } from '@sluice/storage';
import type { ChangeSource } from '@sluice/source';
import type { ConcernedSessions, SyncHub } from '@sluice/sync';
import type { SyncPlan } from '@sluice/sync-config';
import type { ServiceConfig } from '../config/service-config.ts';
import type { AdminBackend } from '../http/backend.ts';
import { openBucketStorage, openChangeRelay, type StorageChange } from '../open-stores.ts';
import { toFailure } from '../replicator/messages.ts';
import type { ReplicationStatus } from '../service-status.ts';
import type { ClientSide } from '../serving/client-side.ts';
import { newSyncHub } from '../serving/new-sync-hub.ts';
import { added, summedTraffic, type Traffic } from '../serving/traffic.ts';
import { StorageKeeper, type OpenedStorage } from '../storage-keeper.ts';
import type { Problem } from '../watchdog/health.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { performAdmin } from './remote-admin.ts';
import { summedSessions } from './summed-sessions.ts';
import type { LaunchWorkerProcess } from './worker-process.ts';
import { WorkerSlot } from './worker-slot.ts';

type Begin = Extract<ToWorker, { readonly kind: 'begin' }>;

export interface WorkerPoolOptions {
  readonly config: ServiceConfig;
  readonly production: boolean;
  readonly launch: LaunchWorkerProcess;
  readonly admin: () => AdminBackend;
  readonly replication: () => ReplicationStatus;
  /** What is unwell in this process. */
  readonly problems: () => readonly Problem[];
  readonly source: ChangeSource | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

/** The start fails when the first worker takes longer; the others may come later. */
const START_MS = 60_000;

/** What this process does with storage: its hub has no clients, but shows what they are told when. */
interface Used {
  readonly relay: ReturnType<typeof openChangeRelay>;
  readonly hub: SyncHub;
}

/**
 * Serves clients by API workers, processes that share one port (docs/decisions/2026-11-25-api-workers.md).
 * This process keeps the replicator and the admin side, and hands on between the workers what they
 * cannot see: changes of the storage, at once, and what replication does.
 */
export class WorkerPool implements ClientSide {
  readonly #options: WorkerPoolOptions;
  readonly #slots: readonly WorkerSlot[];
  readonly #storage: StorageKeeper<Used>;
  readonly #stop = new AbortController();
  #running: readonly Promise<void>[] = [];
  #url = '';

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    const { config, source, clock, logger, random } = options;
    const around = { clock, logger, random };
    const path = config.storage.path;
    this.#storage = new StorageKeeper({
      ...around,
      open: () => openBucketStorage({ path, mode: 'reader', logger }),
      use: (storage) => ({
        relay: openChangeRelay(path, (change) => this.#tellChange(change)),
        hub: newSyncHub(storage, { ...around, api: config.api, source }),
      }),
    });
    this.#slots = Array.from({ length: config.api.workers }, (_, index) =>
      this.#newSlot(index + 1),
    );
  }

  get url(): string {
    return this.#url;
  }

  get isListening(): boolean {
    return this.#slots.some(({ isServing }) => isServing);
  }

  get streamCount(): number {
    const { http, websocket } = this.traffic.streams.open;
    return http + websocket;
  }

  get traffic(): Traffic {
    return summedTraffic(this.#slots.map(({ report }) => report.traffic));
  }

  get errorsElsewhere(): Readonly<Record<string, number>> {
    return this.#slots.reduce((sum, { report }) => added(sum, report.errors), {});
  }

  get problemsElsewhere(): readonly Problem[] {
    return this.#slots.flatMap(({ report }) => report.problems);
  }

  get opened(): OpenedStorage<SyncHub> | undefined {
    const { opened } = this.#storage;
    return opened && { storage: opened.storage, used: opened.used.hub };
  }

  requireStorage(): BucketStorage {
    return this.#storage.require().storage;
  }

  /**
   * Workers that do not listen yet have no sessions.
   *
   * @throws AppError as `WorkerSlot.count`.
   */
  async concerned(_plan: SyncPlan, configText: string): Promise<ConcernedSessions> {
    const serving = this.#slots.filter(({ isServing }) => isServing);
    return summedSessions(await Promise.all(serving.map((slot) => slot.count(configText))));
  }

  /**
   * All load at once, as that is what takes time; but the first listens alone, and so finds out
   * whether the port can be had, and which it is.
   *
   * @throws AppError as `WorkerSlot.listening`.
   */
  async listen(): Promise<void> {
    const [first, ...others] = this.#slots;
    if (!first) return;
    this.#running = this.#slots.map((slot) => slot.run(this.#stop.signal));
    const url = await this.#inTime(first.listening);
    if (url === undefined) throw notListening();
    this.#url = url;
    await this.#inTime(Promise.all(others.map((slot) => this.#toldIfItFails(slot))));
  }

  openStorage(signal: AbortSignal): Promise<void> {
    return this.#storage.run(signal);
  }

  replicationChanged(replication: ReplicationStatus): void {
    this.#tell({ kind: 'replication', replication, problems: this.#options.problems() });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.opened?.used.drain();
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#storage.opened;
    opened?.used.relay[Symbol.dispose]();
    await opened?.used.hub[Symbol.asyncDispose]();
    await opened?.storage[Symbol.asyncDispose]();
  }

  /** Undefined when it takes too long. */
  async #inTime<T>(promise: Promise<T>): Promise<T | undefined> {
    const settled = new AbortController();
    const timeout = pause(this.#options.clock, START_MS, settled.signal).then(() => undefined);
    try {
      return await Promise.race([promise, timeout]);
    } finally {
      settled.abort();
    }
  }

  async #toldIfItFails(slot: WorkerSlot): Promise<void> {
    try {
      await slot.listening;
    } catch (error) {
      const { code, message, remedy } = toAppError(error);
      if (this.#stop.signal.aborted) return;
      this.#options.logger.error('api_worker_failed', {
        number: slot.number,
        code,
        message,
        remedy,
      });
    }
  }

  #newSlot(number: number): WorkerSlot {
    const { launch, clock, logger, random } = this.#options;
    const slot: WorkerSlot = new WorkerSlot({
      number,
      launch,
      begin: () => this.#begin(number),
      onMessage: (message) => this.#take(slot, message),
      clock,
      logger,
      random,
    });
    return slot;
  }

  /** The others are told once the first listens; where that fails, the whole start does. */
  async #begin(number: number): Promise<Begin | undefined> {
    const { config, production, replication } = this.#options;
    const isFirst = number === 1 && this.#url === '';
    const port = isFirst ? config.port : await this.#portOfFirst();
    if (port === undefined) return undefined;
    return {
      kind: 'begin',
      config: { ...config, port },
      production,
      replication: replication(),
    };
  }

  /** Where any free port was asked for, it is known only now. */
  async #portOfFirst(): Promise<number | undefined> {
    const url = await this.#slots[0]?.listening.catch(() => undefined);
    return url === undefined ? undefined : Number(new URL(url).port || 80);
  }

  #take(slot: WorkerSlot, message: FromWorker): void {
    if (message.kind === 'changed') {
      this.#storage.opened?.used.relay.tell(message.change);
      this.#tellChange(message.change, slot);
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

function notListening(): AppError {
  return new AppError(
    'API_WORKER_FAILED',
    `No API worker listens ${START_MS / 1000} s after the start`,
  );
}
