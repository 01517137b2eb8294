import {
  ClientError,
  compileSchema,
  DatabaseClosedError,
  RemoteDatabase,
  systemClock,
  type Channel,
  type CompiledSchema,
  type AnySchema,
  type SluiceDatabase,
} from '@sluice/client';
import type { StorageKind } from './storage/stored-database.ts';
import { leaderSilent, Tab } from './tabs/tab.ts';

export interface OpenDatabaseOptions {
  /** Pages of one origin that give the same name share the database. */
  readonly name: string;
  readonly schema: AnySchema;
  /** Where the worker comes from, if not from the file beside this one, e.g. for a bundler that does not know `new URL`. */
  readonly worker?: () => Worker;
  /** Where `sqlite3.wasm` is, if not where the bundler put it. */
  readonly wasmUrl?: string | URL;
  /** Memory for pages of the database; 50 MB if left out. */
  readonly cacheBytes?: number;
  /**
   * How long a worker may be busy with one thing, e.g. one statement; 60,000 if left out. One that is busy for longer is ended, and the next one
   * goes on. Where nobody can end it, as its page is frozen as well, calls of other tabs are refused by `LEADER_SILENT` 15 s later.
   */
  readonly maxBusyMs?: number;
  /** Mistakes of the app, like rows with the same key in a live query, are reported as errors. */
  readonly development?: boolean;
  /** What went wrong where no promise and no status tells it; the console if left out. */
  readonly onProblem?: (problem: unknown) => void;
}

export interface WebDatabase extends SluiceDatabase {
  /** `memory`: the browser refuses to store, as in private windows. Everything works, and is gone when the tab that leads is closed. */
  readonly storage: StorageKind;
}

const MAX_BUSY_MS = 60_000;
/** How long calls wait for the next leader. Chromium takes two seconds to end a worker that loops, and the next one opens the files. */
const HAND_OVER_TIMEOUT_MS = 15_000;

/**
 * Opens a database that all tabs of the app share. One tab's worker has the file, and syncs; when that tab goes, another one takes over, and
 * everything that this database was asked for goes on.
 *
 * @throws SchemaError; ClientError `PLATFORM`, `WORKER`, `WASM`, `STORAGE_IN_USE`, `LAYOUT`, `PROTOCOL_VERSION`, `LEADER_SILENT`; SqlError
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<WebDatabase> {
  checkPlatform();
  const schema = compileSchema(options.schema);
  const opening = new Opening(options, schema);
  return opening.done;
}

/** From the first leader on there is a database; before, whatever fails is the failure of opening. */
class Opening {
  readonly done: Promise<WebDatabase>;
  readonly #options: OpenDatabaseOptions;
  readonly #onProblem: (problem: unknown) => void;
  readonly #maxBusyMs: number;
  #schema: CompiledSchema;
  #database: RemoteDatabase | undefined;
  #resolve: (database: RemoteDatabase) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(options: OpenDatabaseOptions, schema: CompiledSchema) {
    this.#options = options;
    this.#schema = schema;
    this.#maxBusyMs = options.maxBusyMs ?? MAX_BUSY_MS;
    this.#onProblem = options.onProblem ?? defaultOnProblem;
    this.done = this.#open();
  }

  async #open(): Promise<WebDatabase> {
    const first = new Promise<RemoteDatabase>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { name, worker = startWorker, wasmUrl, cacheBytes } = this.#options;
    const tab = await Tab.start({
      database: name,
      schema: () => this.#schema,
      openedAt: Date.now(),
      newId: () => crypto.randomUUID(),
      startWorker: worker,
      wasmUrl: wasmUrl === undefined ? undefined : new URL(wasmUrl, location.href).href,
      cacheBytes,
      maxBusyMs: this.#maxBusyMs,
      onSilent: (error) => {
        if (this.#database === undefined) this.#reject(error);
      },
      onChannel: (channel) => this.#linked(channel),
      onProblem: this.#onProblem,
      onFailed: (error) => this.#failed(error),
    });
    try {
      const database = await first;
      database.registerListener({
        schemaChanged: (schema) => (this.#schema = schema),
        closed: () => void tab.close().catch(this.#onProblem),
      });
      return ofTab(database, tab);
    } catch (error) {
      await tab.close();
      throw error;
    }
  }

  async #linked(channel: Channel): Promise<void> {
    if (this.#database !== undefined) {
      await this.#database.replaceChannel(channel);
      return;
    }
    try {
      this.#database = await RemoteDatabase.open(channel, {
        newId: () => crypto.randomUUID(),
        clock: systemClock,
        development: this.#options.development,
        integerMode: this.#options.schema.integerMode,
        handOver: {
          onLost: () => undefined,
          timeoutMs: HAND_OVER_TIMEOUT_MS,
          refusal: leaderSilent,
        },
        onProblem: this.#onProblem,
      });
      this.#resolve(this.#database);
    } catch (error) {
      // That leader went, or began to close, before it greeted; there will be another one.
      if (!(error instanceof DatabaseClosedError)) this.#reject(error);
      throw error;
    }
  }

  #failed(error: unknown): void {
    const known = error instanceof Error ? error : workerFailure(error);
    if (this.#database === undefined) this.#reject(known);
    else this.#onProblem(known);
  }
}

/** Closing the database also ends its worker. */
function ofTab(database: RemoteDatabase, tab: Tab): WebDatabase {
  const close = database.close.bind(database);
  return Object.defineProperties(database, {
    storage: { get: () => tab.storage },
    close: { value: () => close().then(() => tab.close()) },
  }) as RemoteDatabase & WebDatabase;
}

/** Bundlers look for exactly this. */
function startWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'sluice' });
}

function checkPlatform(): void {
  const isThere = 'locks' in navigator && typeof BroadcastChannel !== 'undefined';
  if (isThere && typeof Worker !== 'undefined') return;
  throw new ClientError(
    'PLATFORM',
    'The database needs Worker, BroadcastChannel and Web Locks: serve the page by https, or from localhost',
  );
}

function workerFailure(event: unknown): ClientError {
  const message = event instanceof ErrorEvent ? event.message : '';
  return new ClientError(
    'WORKER',
    `The worker's script could not be loaded or failed (${message}): see "Bundlers" in the README of @sluice/client-web`,
    { cause: event },
  );
}

function defaultOnProblem(problem: unknown): void {
  // eslint-disable-next-line no-console -- there is no other place in a browser
  console.warn(problem);
}
