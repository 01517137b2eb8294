import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import {
  ClientError,
  compileSchema,
  DatabaseClosedError,
  InThreadDatabase,
  RemoteDatabase,
  systemClock,
  type AnySchema,
  type SluiceDatabase,
} from '@sluice/client';
import { startThread } from './database-thread.ts';
import type { ConnectionOptions } from './open-connection.ts';
import { importNetwork, nodePlatform } from './node-platform.ts';
import { ReaderPool } from './reader-pool.ts';

export interface OpenDatabaseOptions extends Omit<ConnectionOptions, 'readonly'> {
  /** Made if it is not there. Files with the same name and `-wal`, `-shm`, `-lead` lie beside it while it is open. */
  readonly file: string;
  readonly schema: AnySchema;
  /**
   * `worker`, if left out: SQLite and sync have a thread of their own, and readers others, so that nothing of theirs keeps the
   * caller's waiting; they end with `close`. `caller`: all of it runs in the caller's thread, for tests and short programs.
   */
  readonly thread?: 'worker' | 'caller';
  /** How many queries may run at the same time, each on a thread of its own; 2 if left out. 0: by the thread that writes. */
  readonly maxReaders?: number;
  /** Instead of Node's own; only with `thread: 'caller'`, see `networkModule`. */
  readonly fetch?: typeof fetch;
  /** Instead of the global one, which Node has from version 22 on; only with `thread: 'caller'`, see `networkModule`. */
  readonly webSocket?: new (url: string) => object;
  /** URL of a module whose exports `fetch` and `WebSocket`, if it has them, are used instead of Node's own in the database's thread. */
  readonly networkModule?: string | URL;
  /** For the service's log. */
  readonly userAgent?: string;
  /** Mistakes of the app, like rows with the same key in a live query, are reported as errors. */
  readonly development?: boolean;
  /** What went wrong where no promise and no status tells it; a warning of the process if left out. */
  readonly onProblem?: (problem: unknown) => void;
}

const DEFAULT_READERS = 2;

/**
 * Opens a database file with one connection that writes and others for reading. Several processes may have the same file open, with the same
 * schema: one of them syncs for all, and another that called `connect` goes on when that one ends; what they write is seen by the others within
 * 250 ms. If one of its threads dies, everything rejects with DatabaseClosedError, and `onProblem` is told why.
 *
 * @throws SchemaError; ClientError `PARAMETER`, `LAYOUT`, `THREAD_LOST`; SqlError
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<SluiceDatabase> {
  const { file, thread = 'worker' } = options;
  if (file === '' || file.startsWith(':memory:')) {
    throw new ClientError('PARAMETER', 'A database with several connections needs a file');
  }
  return thread === 'caller' ? openInCaller(options) : openInThread(options);
}

async function openInCaller(options: OpenDatabaseOptions): Promise<SluiceDatabase> {
  const { schema, development, onProblem = warn } = options;
  const network = await importNetwork(options.networkModule);
  return InThreadDatabase.open({
    schema,
    development,
    platform: {
      ...nodePlatform({
        file: options.file,
        connection: connectionOptions(options),
        fetch: options.fetch ?? network.fetch,
        webSocket: options.webSocket ?? network.WebSocket,
        userAgent: options.userAgent,
        onProblem,
      }),
      callContext: new AsyncLocalStorage(),
    },
  });
}

async function openInThread(options: OpenDatabaseOptions): Promise<SluiceDatabase> {
  const { file, schema, development, userAgent, onProblem = warn } = options;
  if (options.fetch !== undefined || options.webSocket !== undefined) {
    throw new ClientError(
      'PARAMETER',
      "Functions cannot go to the database's thread: name a `networkModule`, or open with thread: 'caller'",
    );
  }
  const input = { file, connection: connectionOptions(options) };
  const host = {
    schema: compileSchema(schema),
    userAgent,
    networkModule: options.networkModule && String(options.networkModule),
  };
  const { channel, exited } = startThread('database', { ...input, host });
  let isOpen = false;
  let death: ClientError | undefined;
  const lost = (cause: unknown) => {
    if (cause !== undefined) {
      death ??= new ClientError('THREAD_LOST', 'A thread of the database died', { cause });
      if (isOpen) onProblem(death);
    }
    channel.close();
  };
  const ended = exited.then(lost);
  const { maxReaders = DEFAULT_READERS } = options;
  const start = () => startThread('reader', input);
  try {
    const database = await RemoteDatabase.open(channel, {
      clock: systemClock,
      newId: randomUUID,
      callContext: new AsyncLocalStorage(),
      reads:
        maxReaders > 0 ? new ReaderPool({ maxReaders, start, onLost: lost, onProblem }) : undefined,
      development,
      integerMode: schema.integerMode,
      onProblem,
    });
    isOpen = true;
    return database;
  } catch (error) {
    if (!(error instanceof DatabaseClosedError)) throw error;
    await ended;
    throw death ?? error;
  }
}

function connectionOptions({ cacheBytes, busyTimeoutMs }: OpenDatabaseOptions): ConnectionOptions {
  return {
    ...(cacheBytes !== undefined && { cacheBytes }),
    ...(busyTimeoutMs !== undefined && { busyTimeoutMs }),
  };
}

function warn(problem: unknown): void {
  process.emitWarning(problem instanceof Error ? problem : String(problem));
}
