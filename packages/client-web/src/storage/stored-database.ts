import {
  ClientError,
  DatabaseEngine,
  type CompiledSchema,
  type Platform,
  type SqlError,
  type SqliteConnection,
} from '@sluice/client';
import { openWasmConnection } from '../sqlite/open-wasm-connection.ts';
import type { SqliteModule } from '../sqlite/sqlite-module.ts';
import { MemoryFiles } from './memory-files.ts';
import { StorageRefused, type DatabaseFolder } from './opfs-folder.ts';
import { isDamage, isRebuilt, readQueue, restoreQueue } from './salvage.ts';
import type { FileSpace } from './stored-file.ts';
import { WebVfs } from './web-vfs.ts';

/** Whether the data outlives the page. */
export type StorageKind = 'kept' | 'memory';

export interface StoredDatabaseOptions {
  readonly module: SqliteModule;
  /** @throws StorageRefused: the database is in memory then */
  readonly openFolder: () => Promise<DatabaseFolder>;
  readonly schema: CompiledSchema;
  readonly platform: Omit<Platform, 'openWriter' | 'openReader'>;
  readonly cacheBytes?: number | undefined;
  /** The database was found damaged while it was in use: put it aside. */
  readonly isDamaged: boolean;
  /** SQLite found damage after the database was opened: close it, and open it again with `isDamaged`. */
  readonly onDamage: () => void;
}

/** A database over the browser's storage with what it holds of it. */
export interface StoredDatabase {
  readonly engine: DatabaseEngine;
  readonly storage: StorageKind;
  /** Also closes the engine. */
  close(): Promise<void>;
}

/**
 * Opens the database. One that is damaged is put aside, and a new one takes its place, with what waited for upload as far as that can be
 * read. Without files, or without place for a new database, it is in memory. `Platform.onProblem` is told of all this.
 *
 * @throws ClientError `STORAGE_IN_USE`, `STORAGE_FULL`, `LAYOUT`; SqlError
 */
export async function openStoredDatabase(options: StoredDatabaseOptions): Promise<StoredDatabase> {
  try {
    const folder = await options.openFolder();
    const generation = await folder.generation();
    if (options.isDamaged) return await openInstead(options, folder, generation);
    try {
      return await openKept(options, folder, generation);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return await openInstead(options, folder, generation);
    }
  } catch (error) {
    if (!(error instanceof StorageRefused)) throw error;
    options.platform.onProblem(notKept(error));
    return openInMemory(options);
  }
}

async function openInstead(
  options: StoredDatabaseOptions,
  folder: DatabaseFolder,
  damaged: number,
): Promise<StoredDatabase> {
  const opened = await openKept(options, folder, damaged + 1);
  // The damaged one is kept for whoever wants to look at it; one is enough.
  await folder.removeBefore(damaged);
  return opened;
}

async function openKept(
  options: StoredDatabaseOptions,
  folder: DatabaseFolder,
  generation: number,
): Promise<StoredDatabase> {
  const kept = await folder.acquire(generation);
  try {
    const connections = connectionsTo(options, kept.files, kept.main);
    if (generation > 1) await restoreOnce(options, folder, generation, connections.open);
    const engine = openEngine(options, connections);
    return { engine, storage: 'kept', close: () => engine.close().finally(() => kept.close()) };
  } catch (error) {
    kept.close();
    if (kept.isNew && isFull(error)) throw new StorageRefused(error);
    throw error;
  }
}

function openInMemory(options: StoredDatabaseOptions): StoredDatabase {
  const engine = openEngine(options, connectionsTo(options, new MemoryFiles(), 'memory'));
  return { engine, storage: 'memory', close: () => engine.close() };
}

interface Connections {
  readonly open: (how: 'writer' | 'reader') => SqliteConnection;
  /** From now on damage is told to `onDamage`. */
  readonly watchDamage: () => void;
}

function connectionsTo(
  { module, cacheBytes, platform, onDamage }: StoredDatabaseOptions,
  files: FileSpace,
  file: string,
): Connections {
  const name = `sluice-${platform.newId()}`;
  const { name: vfs } = new WebVfs(module, { name, files, onFault: platform.onProblem });
  let isWatching = false;
  const onFailure = (failure: SqlError) => {
    if (!isWatching || !isDamage(failure)) return;
    isWatching = false;
    onDamage();
  };
  return {
    open: (how) =>
      openWasmConnection(module, { file, vfs, readonly: how === 'reader', cacheBytes, onFailure }),
    watchDamage: () => (isWatching = true),
  };
}

function openEngine(
  { schema, platform }: StoredDatabaseOptions,
  { open, watchDamage }: Connections,
): DatabaseEngine {
  const engine = DatabaseEngine.open({
    schema,
    platform: { ...platform, openWriter: () => open('writer'), openReader: () => open('reader') },
  });
  watchDamage();
  return engine;
}

/** Takes the queue over from the damaged database, unless that is done. */
async function restoreOnce(
  options: StoredDatabaseOptions,
  folder: DatabaseFolder,
  generation: number,
  open: Connections['open'],
): Promise<void> {
  const connection = open('writer');
  try {
    if (isRebuilt(connection)) return;
    const rows = await queueOf(options, folder, generation - 1);
    restoreQueue(connection, options.schema, rows ?? []);
    options.platform.onProblem(rebuilt(rows?.length));
  } finally {
    connection.close();
  }
}

/** Undefined if the damaged file cannot be read at all. */
async function queueOf(
  options: StoredDatabaseOptions,
  folder: DatabaseFolder,
  generation: number,
): Promise<ReturnType<typeof readQueue> | undefined> {
  const kept = await folder.acquire(generation);
  let damaged: SqliteConnection | undefined;
  try {
    damaged = connectionsTo(options, kept.files, kept.main).open('writer');
    return readQueue(damaged);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return undefined;
  } finally {
    damaged?.close();
    kept.close();
  }
}

function isFull(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'STORAGE_FULL';
}

function notKept(cause: unknown): ClientError {
  return new ClientError(
    'NOT_KEPT',
    'The browser gives this page no place to store data, as in private windows: everything works, and is gone when the app is closed',
    { cause },
  );
}

function rebuilt(entries: number | undefined): ClientError {
  const queue =
    entries === undefined
      ? 'what waited for upload could not be read'
      : `${entries} entries that waited for upload were kept`;
  return new ClientError(
    'DATABASE_DAMAGED',
    `The database was damaged and is put aside; a new one takes its place, ${queue}, everything else is downloaded again`,
  );
}
