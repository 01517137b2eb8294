import type { Clock, Logger } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import type { BucketStorage } from '@sluice/storage';
import { SyncHub, type ConcernedSessions } from '@sluice/sync';
import type { SyncPlan } from '@sluice/sync-config';
import { configuredKeys } from '../auth/configured-keys.ts';
import { verifyToken } from '../auth/verify-token.ts';
import { planForGeneration } from '../check-sync-config.ts';
import type { ServiceConfig } from '../config/service-config.ts';
import type { AdminBackend, HttpBackend, ProbeState } from '../http/backend.ts';
import { HttpServer } from '../http/http-server.ts';
import { openBucketStorage, requireSource } from '../open-stores.ts';
import type { ReplicationStatus } from '../service-status.ts';
import { StorageKeeper, type OpenedStorage } from '../storage-keeper.ts';
import { WriteCheckpointBatches } from '../write-checkpoint-batches.ts';
import type { ClientSide } from './client-side.ts';

export interface ServingOptions {
  readonly config: ServiceConfig;
  /** Hides the inside from error bodies. */
  readonly production: boolean;
  readonly source: ChangeSource | undefined;
  readonly admin: () => AdminBackend;
  readonly replication: () => ReplicationStatus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

/** How long streams and requests may take to end at `close`. */
const DRAIN_MS = 5000;
/** A replicator that was silent for longer is not alive. */
const LIVE_MS = 10_000;

/** Serves clients in this process: the storage it reads, the hub, HTTP and WebSocket. */
export class Serving implements ClientSide {
  readonly #options: ServingOptions;
  readonly #storage: StorageKeeper<SyncHub>;
  #http: HttpServer | undefined;
  #isClosing = false;

  constructor(options: ServingOptions) {
    this.#options = options;
    const { config, source, clock, logger, random } = options;
    const around = { clock, logger, random };
    this.#storage = new StorageKeeper({
      ...around,
      open: () => openBucketStorage({ path: config.storage.path, mode: 'reader', logger }),
      use: (storage) =>
        new SyncHub({
          ...around,
          storage,
          planFor: (generation) => planForGeneration(generation, source),
          limits: {
            maxBucketsPerConnection: config.api.maxBucketsPerConnection,
            maxParameterQueryResults: config.api.maxParameterQueryResults,
            maxConcurrentReads: config.api.maxDataFetchConcurrency,
          },
        }),
    });
  }

  get url(): string {
    return this.#http?.url ?? '';
  }

  get streamCount(): number {
    return this.#http?.streamCount ?? 0;
  }

  get storage(): BucketStorage | undefined {
    return this.#storage.opened?.storage;
  }

  requireStorage(): BucketStorage {
    return this.#require().storage;
  }

  concerned(plan: SyncPlan): Promise<ConcernedSessions> {
    return this.#require().used.sessionsConcerned(plan);
  }

  async listen(): Promise<void> {
    const { config, production, logger } = this.#options;
    const { host, port, api, probes } = config;
    this.#http = await HttpServer.listen({
      host,
      port,
      production,
      maxConcurrentConnections: api.maxConcurrentConnections,
      apiTokens: api.tokens,
      probes: probes.http,
      backend: this.#backend(),
      logger,
    });
  }

  openStorage(signal: AbortSignal): Promise<void> {
    return this.#storage.run(signal);
  }

  /** Asked for where it is needed. */
  replicationChanged(): void {}

  async close(): Promise<void> {
    this.#isClosing = true;
    const closed = this.#http?.close(DRAIN_MS);
    this.#storage.opened?.used.drain();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#storage.opened;
    await opened?.used[Symbol.asyncDispose]();
    await opened?.storage[Symbol.asyncDispose]();
  }

  #require(): OpenedStorage<SyncHub> {
    return this.#storage.require();
  }

  #backend(): HttpBackend {
    const { config, clock, logger } = this.#options;
    const { clientAuth, source: connection } = config;
    const keys = configuredKeys({
      auth: clientAuth,
      sourceHostname: connection?.hostname,
      clock,
      logger,
    });
    const source = () => requireSource(this.#options.source);
    const batches = new WriteCheckpointBatches({
      head: async () => source().head(),
      store: (user, head) => this.requireStorage().writeCheckpoints.create(user, head),
      mark: async () => source().mark(),
    });
    return {
      verifyUser: (token) => verifyToken(token, { keys, audience: clientAuth.audience, clock }),
      openStream: ({ request, token, user, format, keepalive, signal }) =>
        this.#require().used.open({
          request,
          claims: token.claims,
          userKey: user,
          expiresAtMs: token.expiresAtMs,
          format,
          keepalive,
          signal,
        }),
      createWriteCheckpoint: (user) => batches.create(user),
      probes: () => this.#probes(),
      admin: this.#options.admin(),
    };
  }

  /** Ready means that clients are served: a source that is away does not change that. */
  #probes(): ProbeState {
    const opened = this.#storage.opened;
    const { clock, replication } = this.#options;
    const { touchedAtMs } = replication();
    return {
      started: opened !== undefined,
      ready: opened?.used.isServing === true && !this.#isClosing,
      live: clock.now() - touchedAtMs < LIVE_MS,
      touchedAtMs,
    };
  }
}
