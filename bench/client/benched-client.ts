/** What the bench needs of a client, ours or another, on whatever platform. */
export interface BenchedClient {
  /** Begins to sync. */
  connect(): Promise<void>;
  /** Resolves when the first sync is visible. */
  untilSynced(): Promise<void>;
  disconnect(): Promise<void>;
  rows(sql: string, parameters?: readonly SqlInput[]): Promise<readonly unknown[]>;
  write(sql: string, parameters?: readonly SqlInput[]): Promise<void>;
  /** One transaction; each statement is awaited, as apps write it. */
  writeTransaction(sql: string, sets: readonly SqlInput[][]): Promise<void>;
  /** The client's own call for many rows. */
  writeBatch(sql: string, sets: readonly SqlInput[][]): Promise<void>;
  /** `throttleMs` undefined: the client's default. */
  watch(query: WatchedQuery, onCount: (count: number) => void): void;
  close(): Promise<void>;
}

export type SqlInput = string | number;

/** A query whose only row has `n`. */
export interface WatchedQuery {
  readonly sql: string;
  readonly parameters: SqlInput[];
  readonly throttleMs: number | undefined;
  readonly signal: AbortSignal;
}

export interface Access {
  readonly endpoint: string;
  readonly token: string;
}
