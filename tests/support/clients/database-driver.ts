import {
  LogLevels,
  SyncStreamConnectionMethod,
  type CommonPowerSyncDatabase,
  type LogRecord,
  type PowerSyncLogger,
  type SyncStreamSubscription,
} from '@powersync/common';
import type { ClientStatus, Row, StreamSubscription, TestClientOptions } from './test-client.ts';

const CONNECTION_METHODS = {
  http: SyncStreamConnectionMethod.HTTP,
  websocket: SyncStreamConnectionMethod.WEB_SOCKET,
} as const;

export type DriverOptions = Omit<TestClientOptions, 'name' | 'token'> & {
  readonly token: () => Promise<string>;
};

/**
 * The official client's database as a TestClient, on any platform: it runs in Node and inside a page.
 * Uploads go to the write API, as docs/clients.md shows.
 */
export class DatabaseDriver {
  readonly #db: CommonPowerSyncDatabase;
  readonly #options: DriverOptions;
  readonly #log: ClientLog;
  /** A subscription counts as long as it is held. */
  readonly #subscriptions: SyncStreamSubscription[] = [];
  readonly #numbers = new Map<string, number[]>();
  readonly #closed = new AbortController();

  constructor(db: CommonPowerSyncDatabase, log: ClientLog, options: DriverOptions) {
    this.#db = db;
    this.#log = log;
    this.#options = options;
  }

  /** Retries every 300 ms, as tests stop and start the service. */
  async connect(): Promise<void> {
    const { endpoint, token, transport, checkpointRequests, appMetadata } = this.#options;
    await this.#db.connect(
      {
        fetchCredentials: async () => ({ endpoint, token: await token() }),
        uploadData: () => this.#upload(),
      },
      {
        connectionMethod: CONNECTION_METHODS[transport],
        retryDelayMs: 300,
        crudUploadThrottleMs: 10,
        checkpointMode: checkpointRequests === true ? 'requests' : 'legacy',
        ...(appMetadata === undefined ? {} : { appMetadata: { ...appMetadata } }),
      },
    );
  }

  disconnect(): Promise<void> {
    return this.#db.disconnect();
  }

  async query(sql: string, parameters: readonly (string | number)[] = []): Promise<Row[]> {
    const rows = await this.#db.getAll<Row>(sql, [...parameters]);
    return rows.map((row) => ({ ...row }));
  }

  async execute(sql: string, parameters: readonly (string | number | null)[] = []): Promise<void> {
    await this.#db.execute(sql, [...parameters]);
  }

  async watchNumber(name: string, sql: string): Promise<void> {
    const shown: number[] = [];
    this.#numbers.set(name, shown);
    const onResult = (result: { readonly rows?: { item(index: number): unknown } }): void => {
      shown.push(Number(Object.values(result.rows?.item(0) ?? {})[0]));
    };
    const { signal } = this.#closed;
    this.#db.watch(sql, [], { onResult }, { signal, throttleMs: 1 });
  }

  async shownNumbers(name: string): Promise<number[]> {
    return [...(this.#numbers.get(name) ?? [])];
  }

  async subscribe({ name, parameters, priority }: StreamSubscription): Promise<void> {
    const options = priority === undefined ? {} : { priority };
    this.#subscriptions.push(await this.#db.syncStream(name, parameters).subscribe(options));
  }

  async unsubscribe({ name, parameters }: StreamSubscription): Promise<void> {
    await this.#db.syncStream(name, parameters).unsubscribeAll();
  }

  async status(): Promise<ClientStatus> {
    const status = this.#db.currentStatus;
    return {
      connected: status.connected,
      hasSynced: status.hasSynced ?? false,
      syncedPriorities: (status.priorityStatusEntries ?? [])
        .filter(({ hasSynced }) => hasSynced === true)
        .map(({ priority }) => priority),
      downloadedOperations: status.downloadProgress?.downloadedOperations ?? 0,
      streams: (status.syncStreams ?? []).map(({ subscription, priority }) => ({
        name: subscription.name,
        parameters: subscription.parameters,
        active: subscription.active,
        hasSynced: subscription.hasSynced,
        priority,
      })),
    };
  }

  async queuedWrites(): Promise<number> {
    return (await this.#db.getUploadQueueStats()).count;
  }

  async syncCheckpoint(): Promise<void> {
    const request = await this.#db.requestCheckpoint();
    await request.waitForSync({ signal: AbortSignal.timeout(30_000) });
  }

  async log(): Promise<string[]> {
    return [...this.#log.lines];
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#db.close();
  }

  async #upload(): Promise<void> {
    const transaction = await this.#db.getNextCrudTransaction();
    if (transaction === null) return;
    const response = await fetch(this.#options.uploadUrl, {
      method: 'POST',
      headers: {
        authorization: `Token ${await this.#options.token()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ crud: transaction.crud }),
    });
    if (!response.ok) throw new Error(`The upload failed: ${response.status}`);
    await transaction.complete();
  }
}

/** Keeps what a client logs, from level info on. */
export class ClientLog implements PowerSyncLogger {
  readonly lines: string[] = [];

  log({ level, message, error }: LogRecord): void {
    if (level >= LogLevels.info) this.lines.push(`${message} ${describe(error)}`);
  }
}

function describe(error: unknown): string {
  if (error === undefined) return '';
  return error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error);
}
