import { systemClock, type ClientClock } from '../clock.ts';
import type { DeadLetter } from '../crud/dead-letters.ts';
import type { SluiceDatabase } from '../facade/sluice-database.ts';
import type { UploadQueueStats } from '../facade/upload-access.ts';
import { KeptValue } from './kept-value.ts';
import { QueryEntry, type KeepTimes } from './query-entry.ts';
import { queryKey, streamKey } from './query-key.ts';
import type { QueryOptions, QuerySource, StreamRequest } from './query-options.ts';
import { rereading } from '../watch/rereading.ts';
import { onUploadActivity } from './reread.ts';
import { RowSyncStates, type RowSyncState } from './row-sync-states.ts';
import type { Store } from './store.ts';
import { followStream, sameStreamState, UNKNOWN_STREAM, type StreamState } from './stream-state.ts';

const DEFAULT_TIMES: KeepTimes = { graceMs: 1000, holdMs: 5000, patienceMs: 60_000 };

export interface QueryStoreOptions extends Partial<KeepTimes> {
  readonly clock?: ClientClock;
  /** What goes wrong where no state tells it; an unhandled rejection if left out. */
  readonly onProblem?: (problem: unknown) => void;
}

export type PendingUploads = Pick<UploadQueueStats, 'count' | 'size' | 'attempts' | 'nextRetryAt'>;

/**
 * What user interfaces share over one database (spec/client.md 5.5): queries, streams and the state of uploads, each once for all who
 * watch it, and for a moment longer. Asking for something twice gives the same object while it is kept; asking alone starts nothing.
 */
export class QueryStore {
  readonly database: SluiceDatabase;
  readonly #clock: ClientClock;
  readonly #times: KeepTimes;
  readonly #onProblem: (problem: unknown) => void;
  readonly #queries = new Map<string, QueryEntry<unknown>>();
  readonly #values = new Map<string, KeptValue<unknown>>();
  readonly #rowStates: RowSyncStates;

  constructor(database: SluiceDatabase, options: QueryStoreOptions = {}) {
    const { clock = systemClock, onProblem = unhandled, ...times } = options;
    this.database = database;
    this.#clock = clock;
    this.#times = { ...DEFAULT_TIMES, ...times };
    this.#onProblem = onProblem;
    this.#rowStates = new RowSyncStates(database, onProblem);
  }

  /** How many different things are kept. */
  get size(): number {
    return this.#queries.size + this.#values.size;
  }

  /**
   * @throws what `compile` of a custom query throws. What is wrong with SQL or parameters is in the state.
   */
  query<Row>(source: QuerySource<Row>, options: QueryOptions<Row> = {}): QueryEntry<Row> {
    const key = queryKey(source, options);
    // What rows look like is the caller's word.
    const known = this.#queries.get(key) as QueryEntry<Row> | undefined;
    const entry = known ?? this.#newQuery(key, source, options);
    entry.expect();
    return entry;
  }

  /** Subscribes to the stream while it is watched. */
  stream(request: StreamRequest): Store<StreamState> {
    return this.#value(`stream ${streamKey(request)}`, {
      initial: UNKNOWN_STREAM,
      isEqual: sameStreamState,
      connect: (set) => followStream(this.database, request, { set, onProblem: this.#onProblem }),
    });
  }

  /** Subscribes to all of them while it is watched. */
  allStreamsHaveSynced(requests: readonly StreamRequest[]): Store<boolean> {
    return this.#value(`streams ${JSON.stringify(requests.map(streamKey))}`, {
      initial: false,
      connect: (set) => {
        const streams = requests.map((request) => this.stream(request));
        const tell = (): void => set(streams.every((stream) => stream.getSnapshot().hasSynced));
        const stops = streams.map((stream) => stream.subscribe(tell));
        tell();
        return () => {
          for (const stop of stops) stop();
        };
      },
    });
  }

  /** How many local writes wait for the backend, and how their upload goes; null until it is known. */
  pendingUploads(options: { readonly withSize?: boolean } = {}): Store<PendingUploads | null> {
    const { withSize = false } = options;
    return this.#reread(`uploads ${withSize}`, async (): Promise<PendingUploads> => {
      const stats = await this.database.getUploadQueueStats(withSize);
      const { count, size, attempts, nextRetryAt } = stats;
      return { count, size, attempts, nextRetryAt };
    });
  }

  /** The newest writes that the backend refused or the connector set aside, newest first; null until they are known. */
  rejectedWrites(options: { readonly limit?: number } = {}): Store<readonly DeadLetter[] | null> {
    const { limit = 100 } = options;
    return this.#reread(`rejected ${limit}`, () => this.database.deadLetters.list({ limit }));
  }

  /** Of a row of a synced table, by the table's synced name; null until it is known. */
  rowSyncState(table: string, id: string): Store<RowSyncState | null> {
    return this.#value<RowSyncState | null>(`row ${JSON.stringify([table, id])}`, {
      initial: null,
      connect: (set) => this.#rowStates.follow({ table, id, set }),
    });
  }

  /** Lets queries whose last run failed begin anew, e.g. when an error boundary is reset. */
  retryFailed(): void {
    for (const entry of Array.from(this.#queries.values())) {
      if (entry.getSnapshot().error !== null) entry.retry();
    }
  }

  #newQuery<Row>(
    key: string,
    source: QuerySource<Row>,
    options: QueryOptions<Row>,
  ): QueryEntry<Row> {
    const keep = (entry: QueryEntry<Row>): void => {
      if (!this.#queries.has(key)) this.#queries.set(key, entry as QueryEntry<unknown>);
    };
    const entry = new QueryEntry<Row>({
      database: this.database,
      source,
      options,
      streams: (options.streams ?? []).map((stream) => ({
        state: this.stream(stream),
        isAwaited: stream.waitForStream ?? false,
      })),
      clock: this.#clock,
      times: this.#times,
      onStarted: keep,
      onStopped: (stopped) => {
        if (this.#queries.get(key) === stopped) this.#queries.delete(key);
      },
    });
    keep(entry);
    return entry;
  }

  #reread<Value>(key: string, read: () => Promise<Value>): Store<Value | null> {
    const onProblem = this.#onProblem;
    return this.#value<Value | null>(key, {
      initial: null,
      connect: (set) =>
        onUploadActivity(this.database, rereading({ read, set, onProblem }), onProblem),
    });
  }

  #value<Value>(
    key: string,
    options: {
      readonly initial: Value;
      readonly connect: (set: (value: Value) => void) => () => void;
      readonly isEqual?: (a: Value, b: Value) => boolean;
    },
  ): Store<Value> {
    const keep = (value: KeptValue<Value>): void => {
      if (!this.#values.has(key)) this.#values.set(key, value as KeptValue<unknown>);
    };
    const known = this.#values.get(key) as KeptValue<Value> | undefined;
    const value: KeptValue<Value> =
      known ??
      new KeptValue<Value>({
        ...options,
        clock: this.#clock,
        graceMs: this.#times.graceMs,
        onStarted: () => keep(value),
        onStopped: () => {
          if (this.#values.get(key) === value) this.#values.delete(key);
        },
      });
    keep(value);
    value.linger(this.#times.holdMs);
    return value;
  }
}

export function createQueryStore(
  database: SluiceDatabase,
  options?: QueryStoreOptions,
): QueryStore {
  return new QueryStore(database, options);
}

function unhandled(problem: unknown): void {
  void Promise.reject(problem);
}
