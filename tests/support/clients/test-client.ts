/** A value that survives the way into a browser's page and back. */
export type Row = Readonly<Record<string, string | number | null>>;

export interface StreamSubscription {
  readonly name: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly priority?: 0 | 1 | 2 | 3;
}

interface StreamStatus {
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>> | null;
  readonly active: boolean;
  readonly hasSynced: boolean;
  readonly priority: number | null;
}

export interface ClientStatus {
  readonly connected: boolean;
  readonly hasSynced: boolean;
  /** Priorities up to which a checkpoint was published, in part or whole. */
  readonly syncedPriorities: readonly number[];
  readonly downloadedOperations: number;
  readonly streams: readonly StreamStatus[];
}

/** What the end-to-end suite needs of a client, wherever it runs. */
export interface TestClient extends AsyncDisposable {
  /** Goes on by itself until `disconnect`, also when the service is not there. */
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  query(sql: string, parameters?: readonly (string | number)[]): Promise<readonly Row[]>;
  execute(sql: string, parameters?: readonly (string | number | null)[]): Promise<void>;
  /** From now on keeps each result of a query of one number that the client shows. */
  watchNumber(name: string, sql: string): Promise<void>;
  /** The numbers shown so far, oldest first. */
  shownNumbers(name: string): Promise<readonly number[]>;
  subscribe(subscription: StreamSubscription): Promise<void>;
  /** Ends at once what was subscribed to with the same name and parameters. */
  unsubscribe(subscription: StreamSubscription): Promise<void>;
  status(): Promise<ClientStatus>;
  queuedWrites(): Promise<number>;
  /** Asks the service for a checkpoint, and resolves once the client shows at least that. */
  syncCheckpoint(): Promise<void>;
  /** What the client has logged, from level info on. */
  log(): Promise<readonly string[]>;
}

export type Transport = 'http' | 'websocket';

export interface TestClientOptions {
  /** Names the client's database, and the client among those of a platform. */
  readonly name: string;
  readonly transport: Transport;
  readonly endpoint: string;
  readonly uploadUrl: string;
  /** Uploads are confirmed by `POST /sync/checkpoint-request` instead of write checkpoints. */
  readonly checkpointRequests?: boolean | undefined;
  readonly appMetadata?: Readonly<Record<string, string>> | undefined;
  /** Asked for before each connection, and before a token expires. */
  readonly token: () => string;
}

/** Where clients run: this process, or a browser. */
export interface ClientPlatform extends AsyncDisposable {
  open(options: TestClientOptions): Promise<TestClient>;
}

/** The client logs "Checksums didn't match" when a checkpoint does not add up. */
export async function checksumFailures(client: TestClient): Promise<readonly string[]> {
  return (await client.log()).filter((line) => /checksum/i.test(line));
}
