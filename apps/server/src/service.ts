import { AppError, pause, systemClock, toAppError, type Clock, type Logger } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import { SyncHub } from '@sluice/sync';
import { adminBackend } from './admin/admin-backend.ts';
import type { DeployPlan } from './admin/deploy-plan.ts';
import type { DeployStatus } from './admin/deploy-status.ts';
import { configuredKeys } from './auth/configured-keys.ts';
import { verifyToken } from './auth/verify-token.ts';
import { checkSyncConfig, planForGeneration } from './check-sync-config.ts';
import type { ServiceConfig } from './config/service-config.ts';
import type { AdminBackend, HttpBackend } from './http/backend.ts';
import { HttpServer } from './http/http-server.ts';
import { createLogger } from './logging/create-logger.ts';
import { CountingLogger } from './metrics/counting-logger.ts';
import { openBucketStorage, openSource, requireSource } from './open-stores.ts';
import { Operations } from './operations.ts';
import { OperationRate } from './operation-rate.ts';
import { ReadingRate } from './reading-rate.ts';
import { launchWorker } from './replicator/replicator-thread.ts';
import { ReplicatorSupervisor } from './replicator/supervisor.ts';
import type { ReplicationStatus, ServiceStatus } from './service-status.ts';
import { CheckpointRequestExpiry } from './checkpoint-request-expiry.ts';
import { StorageKeeper } from './storage-keeper.ts';
import { WriteCheckpointBatches } from './write-checkpoint-batches.ts';

export interface StartOptions {
  /** Default: standard output, as `system.logging` says. */
  readonly logger?: Logger | undefined;
  /** Hides the inside from error bodies; default: whether NODE_ENV is `production`. */
  readonly production?: boolean | undefined;
}

/** A running service. Disposing is `stop`. */
export interface Service extends AsyncDisposable {
  /** Where it listens, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Where metrics are served, with `telemetry.prometheus_port`. */
  readonly metricsUrl: string | undefined;
  status(): ServiceStatus;
  /** Calls `listener` whenever the status changes, at most a few times per second. */
  onStatus(listener: (status: ServiceStatus) => void): () => void;
  /** What deploying a sync config would change. @throws ConfigError `CONFIG_SYNC_INVALID`. */
  plan(text: string): Promise<DeployPlan>;
  /**
   * Deploys a sync config; resolves once that is durable. `deployStatus` tells when it serves.
   *
   * @throws AppError as the deploy route (see `AdminBackend`).
   */
  deploy(text: string): Promise<void>;
  deployStatus(): Promise<DeployStatus>;
  /**
   * Stops accepting, ends the streams normally, lets the replicator finish what is under way, and
   * closes everything. Takes at most about 15 s; repeatable.
   */
  stop(): Promise<void>;
}

/**
 * Starts the service. Resolves once it listens; the source and the storage may come later, and what
 * is wrong with them shows in `status`, in the log and in the probes.
 *
 * @throws ConfigError `CONFIG_SYNC_INVALID` unless `sync_config.exit_on_error` is off;
 * AppError `API_LISTEN_FAILED`.
 */
export async function startService(
  config: ServiceConfig,
  options: StartOptions = {},
): Promise<Service> {
  const logger = options.logger ?? createLogger(config.logging);
  checkSyncConfig(config, logger);
  const service = new RunningService(config, logger);
  try {
    await service.start(options.production ?? process.env['NODE_ENV'] === 'production');
  } catch (error) {
    await service.stop();
    throw error;
  }
  return service;
}

/** How long streams and requests may take to end at `stop`. */
const DRAIN_MS = 5000;
const STATUS_MS = 1000;

class RunningService implements Service {
  readonly #config: ServiceConfig;
  readonly #logger: Logger;
  readonly #clock: Clock = systemClock;
  readonly #stop = new AbortController();
  readonly #source: ChangeSource | undefined;
  readonly #storage: StorageKeeper<SyncHub>;
  readonly #supervisor: ReplicatorSupervisor | undefined;
  readonly #operations: Operations;
  readonly #admin: AdminBackend;
  readonly #rate = new OperationRate();
  readonly #readingRate = new ReadingRate();
  readonly #listeners = new Set<(status: ServiceStatus) => void>();
  #http: HttpServer | undefined;
  #background: readonly Promise<unknown>[] = [];
  #stopped: Promise<void> | undefined;

  constructor(config: ServiceConfig, logger: Logger) {
    this.#config = config;
    const counted = new CountingLogger(logger);
    this.#logger = counted;
    this.#source = config.source && openSource(config.source, { logger: counted });
    const around = { clock: this.#clock, logger: counted, random: Math.random };
    this.#storage = new StorageKeeper({
      ...around,
      open: () => openBucketStorage({ path: config.storage.path, mode: 'reader', logger: counted }),
      use: (storage) =>
        new SyncHub({
          ...around,
          storage,
          planFor: (generation) => planForGeneration(generation, this.#source),
          limits: {
            maxBucketsPerConnection: config.api.maxBucketsPerConnection,
            maxParameterQueryResults: config.api.maxParameterQueryResults,
            maxConcurrentReads: config.api.maxDataFetchConcurrency,
            // A batch that is nearly full may be joined by one more line.
            chunkBytes: Math.floor(config.api.maxBytesInFlightPerConnection * 0.8),
            batchBytes: Math.floor(config.api.maxBytesInFlightPerConnection * 0.2),
          },
        }),
    });
    this.#operations = new Operations({
      config,
      clock: this.#clock,
      logger: counted,
      errorCounts: () => counted.counts,
      source: this.#source,
      replication: () => this.#replication(),
      opened: () => this.#storage.opened,
      traffic: () => this.#http,
      isStopping: () => this.#stop.signal.aborted,
    });
    this.#supervisor = this.#newSupervisor(around);
    this.#admin = this.#newAdmin();
  }

  async start(production: boolean): Promise<void> {
    const { host, port, api, probes } = this.#config;
    this.#http = await HttpServer.listen({
      host,
      port,
      production,
      limits: api,
      apiTokens: api.tokens,
      probes: probes.http,
      backend: this.#backend(),
      logger: this.#logger,
    });
    await this.#operations.listen();
    this.#logger.info('service_listening', { url: this.url, ...this.#config.metadata });
    this.#background = [
      this.#storage.run(this.#stop.signal).then(() => this.#tellWhatIsAwaited()),
      this.#supervisor?.run(this.#stop.signal) ?? Promise.resolve(),
      this.#reportStatus(),
      this.#operations.run(this.#stop.signal),
      this.#expireCheckpointRequests(),
    ];
  }

  get url(): string {
    return this.#http?.url ?? '';
  }

  get metricsUrl(): string | undefined {
    return this.#operations.metricsUrl;
  }

  status(): ServiceStatus {
    const replication = this.#replication();
    return {
      replication,
      checkpointOpId: replication.checkpointOpId,
      opsPerSecond: this.#rate.perSecond(this.#clock.now()),
      clients: this.#http?.streamCount ?? 0,
      problems: this.#operations.problems(),
    };
  }

  onStatus(listener: (status: ServiceStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  plan(text: string): Promise<DeployPlan> {
    return this.#admin.plan(text);
  }

  async deploy(text: string): Promise<void> {
    await this.#admin.deploy(text);
  }

  deployStatus(): Promise<DeployStatus> {
    return this.#admin.status();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #shutDown(): Promise<void> {
    this.#logger.info('service_stopping');
    const closed = this.#http?.close(DRAIN_MS);
    this.#storage.opened?.used.drain();
    this.#stop.abort();
    // Each has a bound of its own; a failure of one must not keep the others open.
    const ended = await Promise.allSettled([closed, ...this.#background]);
    const opened = this.#storage.opened;
    const disposed = await Promise.allSettled([
      opened?.used[Symbol.asyncDispose]().then(() => opened.storage[Symbol.asyncDispose]()),
      this.#source?.[Symbol.asyncDispose](),
      this.#operations.close(),
    ]);
    for (const result of [...ended, ...disposed]) {
      if (result.status === 'fulfilled') continue;
      const { code, message } = toAppError(result.reason);
      this.#logger.warn('service_stop_incomplete', { code, message });
    }
    this.#logger.info('service_stopped');
  }

  /** A service without a sync config does nothing until it gets one. */
  async #tellWhatIsAwaited(): Promise<void> {
    const { opened } = this.#storage;
    if (this.#config.syncConfig || !opened || this.#stop.signal.aborted) return;
    if ((await opened.storage.generations()).length > 0) return;
    this.#logger.info('sync_config_awaited', {
      message:
        'No sync config is deployed yet; deploy one with `sluice deploy`, or name one in sync_config',
    });
  }

  #newSupervisor(around: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly random: () => number;
  }): ReplicatorSupervisor | undefined {
    const { source: connection, storage, syncConfig } = this.#config;
    if (!connection) {
      this.#logger.warn('replication_off', {
        message: 'replication.connections is not configured',
      });
      return undefined;
    }
    return new ReplicatorSupervisor({
      ...around,
      launch: launchWorker({
        connection,
        storagePath: storage.path,
        compactEveryMs: storage.compactEverySeconds * 1000,
        syncConfigText: syncConfig?.text,
      }),
      onStatus: (status) => this.#sample(status),
      onMeters: this.#operations.takeMeters,
    });
  }

  #newAdmin(): AdminBackend {
    const { source: connection, syncConfig } = this.#config;
    return adminBackend({
      connection,
      source: this.#source,
      storage: () => this.#storage.require().storage,
      replication: () => this.#replication(),
      status: () => this.status(),
      concerned: (plan) => this.#storage.require().used.sessionsConcerned(plan),
      rowsPerSecond: () => this.#readingRate.rowsPerSecond,
      request: (request) =>
        this.#supervisor?.request(request) ??
        Promise.reject(new AppError('REPLICATION_WAITING', 'This service does not replicate')),
      isPinned: syncConfig !== undefined,
      clock: this.#clock,
      logger: this.#logger,
    });
  }

  #sample({ checkpointOpId, rowsTotal, state, fill }: ReplicationStatus): void {
    this.#readingRate.add(
      this.#clock.now(),
      rowsTotal,
      state === 'snapshotting' || fill?.table !== undefined,
    );
    if (checkpointOpId === undefined) return;
    this.#rate.add(this.#clock.now(), BigInt(checkpointOpId));
  }

  #replication(): ReplicationStatus {
    if (this.#supervisor) return this.#supervisor.status;
    return { state: 'off', generations: [], rowsTotal: 0, touchedAtMs: this.#clock.now() };
  }

  #backend(): HttpBackend {
    const { clientAuth, source: connection } = this.#config;
    const [clock, logger] = [this.#clock, this.#logger];
    const keys = configuredKeys({
      auth: clientAuth,
      sourceHostname: connection?.hostname,
      clock,
      logger,
    });
    const source = () => requireSource(this.#source);
    const batches = new WriteCheckpointBatches({
      head: async () => source().head(),
      store: (user, head, id) => {
        const { writeCheckpoints } = this.#storage.require().storage;
        if (id === undefined) return writeCheckpoints.create(user, head);
        return writeCheckpoints.request(user, { id, head, requestedAtMs: clock.now() });
      },
      mark: async () => source().mark(),
    });
    return {
      verifyUser: (token) => verifyToken(token, { keys, audience: clientAuth.audience, clock }),
      openStream: ({ request, token, user, format, keepalive, signal }) =>
        this.#storage.require().used.open({
          request,
          claims: token.claims,
          userKey: user,
          expiresAtMs: token.expiresAtMs,
          format,
          keepalive,
          signal,
        }),
      createWriteCheckpoint: (user) => batches.create(user),
      requestCheckpoint: (user, id) => batches.create(user, id),
      probes: () => this.#operations.probes(),
      admin: this.#admin,
    };
  }

  #expireCheckpointRequests(): Promise<void> {
    const expiry = new CheckpointRequestExpiry({
      store: () => this.#storage.opened?.storage.writeCheckpoints,
      retentionMs: this.#config.api.checkpointRequestRetentionMinutes * 60_000,
      clock: this.#clock,
      logger: this.#logger,
    });
    return expiry.run(this.#stop.signal);
  }

  async #reportStatus(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const status = this.status();
      for (const listener of this.#listeners) listener(status);
      await pause(this.#clock, STATUS_MS, signal);
    }
  }
}
