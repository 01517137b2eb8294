import { combineKeySources, verifyToken } from '@sluice/auth';
import { SyncError, type Clock, type Logger } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import type { BucketStorage } from '@sluice/storage';
import type { ConcernedSessions, SyncHub } from '@sluice/sync';
import type { SyncPlan } from '@sluice/sync-config';
import { appSignIns, createRouter, openTokens, type Tokens } from '@sluice/write-api';
import { configuredKeys } from '../auth/configured-keys.ts';
import type { ServiceConfig } from '../config/service-config.ts';
import type { AdminBackend, HttpBackend, ProbeState } from '../http/backend.ts';
import { HttpServer } from '../http/http-server.ts';
import { runtimeZstd } from '../http/runtime-zstd.ts';
import type { FetchRoutes } from '../http/fetch-routes.ts';
import { openBucketStorage, openWritePool, requireSource, type WritePool } from '../open-stores.ts';
import { StorageKeeper, type OpenedStorage } from '../storage-keeper.ts';
import { WriteCheckpointBatches } from '../write-checkpoint-batches.ts';
import { ServedFunctions } from '../write-api/served-functions.ts';
import { ServedWriteApi } from '../write-api/served-write-api.ts';
import { NO_UPLOADS } from '../write-api/upload-counts.ts';
import type { ClientSide } from './client-side.ts';
import { newSyncHub } from './new-sync-hub.ts';
import { NO_TRAFFIC, type Traffic } from './traffic.ts';

export interface ServingOptions {
  readonly config: ServiceConfig;
  /** Hides the inside from error bodies. */
  readonly production: boolean;
  readonly source: ChangeSource | undefined;
  readonly admin: () => AdminBackend;
  readonly probes: () => ProbeState;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

/** How long streams and requests may take to end at `close`. */
const DRAIN_MS = 5000;

/** Serves clients in this process: the storage it reads, the hub, HTTP and WebSocket. */
export class Serving implements ClientSide {
  readonly #options: ServingOptions;
  readonly #storage: StorageKeeper<SyncHub>;
  #functions: ServedFunctions | undefined;
  #writePool: WritePool | undefined;
  #writeApi: ServedWriteApi | undefined;
  #http: HttpServer | undefined;

  constructor(options: ServingOptions) {
    this.#options = options;
    const { config, source, clock, logger, random } = options;
    const around = { clock, logger, random };
    this.#storage = new StorageKeeper({
      ...around,
      open: () => openBucketStorage({ path: config.storage.path, mode: 'reader', logger }),
      use: (storage) => newSyncHub(storage, { ...around, api: config.api, source }),
    });
  }

  get url(): string {
    return this.#http?.url ?? '';
  }

  get streamCount(): number {
    return this.#http?.streamCount ?? 0;
  }

  get isListening(): boolean {
    return this.#http !== undefined;
  }

  get traffic(): Traffic {
    return {
      streams: this.#http?.streams ?? NO_TRAFFIC.streams,
      queues: { ...this.#http?.queues, ...this.#writeApi?.queues },
      sync: this.opened?.used.stats(),
      caches: this.opened?.storage.stats().caches ?? {},
      uploads: this.#writeApi?.counts ?? NO_UPLOADS,
    };
  }

  get opened(): OpenedStorage<SyncHub> | undefined {
    return this.#storage.opened;
  }

  /** There are no other processes. */
  readonly errorsElsewhere = {};
  readonly problemsElsewhere = [];

  requireStorage(): BucketStorage {
    return this.#require().storage;
  }

  concerned(plan: SyncPlan): Promise<ConcernedSessions> {
    return this.#require().used.sessionsConcerned(plan);
  }

  async listen(): Promise<void> {
    const { config, production, clock, logger } = this.#options;
    const { writeApi } = config;
    this.#functions = writeApi && (await ServedFunctions.open({ config: writeApi, clock, logger }));
    this.#writePool = this.#openWritePool();
    const { host, port, api, probes } = config;
    const tokens = await this.#openTokens();
    this.#http = await HttpServer.listen({
      host,
      port,
      production,
      limits: api,
      apiTokens: api.tokens,
      probes: probes.http,
      webApp: api.webApp,
      backend: this.#backend(tokens),
      zstd: runtimeZstd(),
      fetchRoutes: tokens ? [tokenFetchRoutes(tokens, logger)] : [],
      logger,
    });
  }

  openStorage(signal: AbortSignal): Promise<void> {
    return this.#storage.run(signal);
  }

  /** Asked for where it is needed. */
  replicationChanged(): void {}

  async close(): Promise<void> {
    const closed = this.#http?.close(DRAIN_MS);
    this.opened?.used.drain();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { opened } = this;
    await opened?.used[Symbol.asyncDispose]();
    await opened?.storage[Symbol.asyncDispose]();
    await this.#functions?.[Symbol.asyncDispose]();
    await this.#writePool?.end();
  }

  #require(): OpenedStorage<SyncHub> {
    return this.#storage.require();
  }

  /**
   * Makes a write checkpoint that the service manages. Also what was made while the config changed is
   * refused: no stream would ever tell the client that it is reached.
   */
  async #managed(create: () => Promise<bigint>): Promise<bigint> {
    await this.#refuseIfCustom();
    const value = await create();
    await this.#refuseIfCustom();
    return value;
  }

  /** @throws SyncError `SYNC_WRITE_CHECKPOINT_CUSTOM` */
  async #refuseIfCustom(): Promise<void> {
    if (!(await this.#require().used.takesWriteCheckpointsFromRows())) return;
    throw new SyncError(
      'SYNC_WRITE_CHECKPOINT_CUSTOM',
      'Write checkpoints come from the database (event_definitions of the sync config), not from here',
    );
  }

  /** @throws AppError `TOKENS_KEYS_*`; ConfigError `CONFIG_INVALID_VALUE`. */
  async #openTokens(): Promise<Tokens | undefined> {
    const { config, production, clock, logger } = this.#options;
    if (config.tokens === undefined) return undefined;
    const functions = this.#functions?.functions;
    const signInFunction =
      functions &&
      appSignIns({ functions, database: this.#writePool, config: config.writeApi, clock, logger });
    return openTokens({ ...config.tokens, production, signInFunction, clock, logger });
  }

  #openWritePool(): WritePool | undefined {
    const { writeApi, source } = this.#options.config;
    const connection = writeApi?.database ?? source;
    if (!writeApi || !connection) return undefined;
    const { logger } = this.#options;
    return openWritePool(connection, { maxConnections: writeApi.limits.maxPoolSize, logger });
  }

  #newWriteApi(verify: HttpBackend['verifyUser']): ServedWriteApi | undefined {
    const { config, clock, logger, random } = this.#options;
    const pool = this.#writePool;
    if (!config.writeApi || !pool) return undefined;
    return new ServedWriteApi({
      config: config.writeApi,
      pool,
      functions: this.#functions?.functions,
      verify,
      clock,
      logger,
      random,
    });
  }

  #backend(tokens: Tokens | undefined): HttpBackend {
    const { config, clock, logger } = this.#options;
    const { clientAuth, source: connection } = config;
    const configured = configuredKeys({
      auth: clientAuth,
      sourceHostname: connection?.hostname,
      clock,
      logger,
    });
    const keys = combineKeySources(tokens ? [tokens.keySource, configured] : [configured]);
    const source = () => requireSource(this.#options.source);
    const batches = new WriteCheckpointBatches({
      head: async () => source().head(),
      store: (user, head, id) => {
        const { writeCheckpoints } = this.requireStorage();
        if (id === undefined) return writeCheckpoints.create(user, head);
        return writeCheckpoints.request(user, { id, head, requestedAtMs: clock.now() });
      },
      mark: async () => source().mark(),
    });
    const verifyUser = (token: string) =>
      verifyToken(token, { keys, audience: clientAuth.audience, clock });
    this.#writeApi = this.#newWriteApi(verifyUser);
    return {
      verifyUser,
      writeApi: this.#writeApi,
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
      createWriteCheckpoint: (user) => this.#managed(() => batches.create(user)),
      requestCheckpoint: (user, id) => this.#managed(() => batches.create(user, id)),
      probes: this.#options.probes,
      admin: this.#options.admin(),
    };
  }
}

/** Signing in may wait for others, so it has turns of its own and takes none from uploads. */
const MAX_SIGN_INS = 100;

const MAX_TOKEN_BODY_BYTES = 64 * 1024;

function tokenFetchRoutes({ routes }: Tokens, logger: Logger): FetchRoutes {
  return {
    paths: [...new Set(routes.map(({ path }) => path))],
    maxBodyBytes: MAX_TOKEN_BODY_BYTES,
    handle: createRouter({ routes, maxConcurrency: MAX_SIGN_INS, logger }),
  };
}
