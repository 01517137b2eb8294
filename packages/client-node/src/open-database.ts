import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import {
  ClientError,
  inProcessLock,
  InThreadDatabase,
  type SluiceDatabase,
  systemClock,
  type Schema,
  type WebSocketLike,
} from '@sluice/client';
import { openConnection, type ConnectionOptions } from './open-connection.ts';

export interface OpenDatabaseOptions extends Omit<ConnectionOptions, 'readonly'> {
  /** Made if it is not there. Two files with the same name and `-wal`, `-shm` lie beside it while it is open. */
  readonly file: string;
  readonly schema: Schema;
  /** Instead of Node's own. */
  readonly fetch?: typeof fetch;
  /** Instead of the global one, which Node has from version 22 on; e.g. of the package `ws`. */
  readonly webSocket?: new (url: string) => object;
  /** For the service's log. */
  readonly userAgent?: string;
  /** Mistakes of the app, like rows with the same key in a live query, are reported as errors. */
  readonly development?: boolean;
  /** What went wrong where no promise and no status tells it; a warning of the process if left out. */
  readonly onProblem?: (problem: unknown) => void;
}

/**
 * Opens a database file in this thread, with one connection that writes and others for reading. One process opens a file
 * once at a time: live queries do not hear of what others write, and each would upload.
 *
 * @throws SchemaError; ClientError `PARAMETER`, `LAYOUT`; SqlError
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<SluiceDatabase> {
  const { file, schema, development, onProblem = warn, cacheBytes, busyTimeoutMs } = options;
  if (file === '' || file.startsWith(':memory:')) {
    throw new ClientError('PARAMETER', 'A database with several connections needs a file');
  }
  const settings = {
    ...(cacheBytes !== undefined && { cacheBytes }),
    ...(busyTimeoutMs !== undefined && { busyTimeoutMs }),
  };
  return InThreadDatabase.open({
    schema,
    development,
    platform: {
      openWriter: () => openConnection(file, settings),
      openReader: () => openConnection(file, { ...settings, readonly: true }),
      clock: systemClock,
      random: Math.random,
      newId: randomUUID,
      fetch: options.fetch ?? fetch,
      openSocket: socketOpener(options.webSocket),
      userAgent: options.userAgent ?? `sluice-node/${process.versions.node}`,
      uploadLock: inProcessLock(),
      callContext: new AsyncLocalStorage(),
      onProblem,
    },
  });
}

function socketOpener(given: OpenDatabaseOptions['webSocket']) {
  const found = given ?? (globalThis as { WebSocket?: new (url: string) => object }).WebSocket;
  if (found === undefined) return undefined;
  // Types of sockets say more of their events than is needed here.
  return (url: string) => new found(url) as WebSocketLike;
}

function warn(problem: unknown): void {
  process.emitWarning(problem instanceof Error ? problem : String(problem));
}
