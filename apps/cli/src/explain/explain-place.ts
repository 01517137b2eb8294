import { existsSync } from 'node:fs';
import path from 'node:path';
import { AppError, ConfigError, silentLogger } from '@sluice/base';
import { loadServiceConfig, openBucketStorage } from '@sluice/server';
import type { CliContext } from '../cli-context.ts';
import { findFolder, noFolder } from '../commands/tail.ts';
import type { SourceTarget } from '../database/open-source.ts';
import type { DevFolder, DevState } from '../dev/dev-folder.ts';
import { shownPath } from '../terminal/text.ts';

export interface PlaceOptions {
  /** Of a service. */
  readonly config?: string | undefined;
  readonly db?: string | undefined;
  readonly dir?: string | undefined;
  readonly syncConfig?: string | undefined;
}

/** Where a service keeps what it serves, and where that comes from. */
export interface ExplainPlace {
  /** Undefined where only a database is named. */
  readonly storage: { readonly path: string; readonly name: string } | undefined;
  readonly maxParameterResults: number;
  /** Users of `sluice dev`; undefined where they are not known. */
  readonly users: readonly string[] | undefined;
  /** @throws AppError where the database is not named, or not running. */
  source(): SourceTarget;
}

const DEFAULT_MAX_RESULTS = 1000;

/** The service of the configuration file named, else the folder of `sluice dev`. */
export async function findPlace(context: CliContext, options: PlaceOptions): Promise<ExplainPlace> {
  if (options.config !== undefined) return servicePlace(context, options.config, options.db);
  const folder = findFolder(context, options.dir);
  const state = folder?.state();
  if (folder === undefined || state === undefined) {
    const { db, syncConfig } = options;
    if (db === undefined || syncConfig === undefined) throw noPlace(options);
    return {
      storage: undefined,
      maxParameterResults: DEFAULT_MAX_RESULTS,
      users: undefined,
      source: () => db,
    };
  }
  return {
    storage: { path: storagePath(folder, state), name: 'sluice dev' },
    maxParameterResults: DEFAULT_MAX_RESULTS,
    users: state.users,
    source: () => options.db ?? devDatabase(state),
  };
}

function storagePath(folder: DevFolder, { storageName }: DevState): string {
  return folder.file(storageName ?? 'sample.db');
}

async function servicePlace(
  { env, cwd }: CliContext,
  file: string,
  db: string | undefined,
): Promise<ExplainPlace> {
  const config = await loadServiceConfig({ env, cwd, configPath: file });
  return {
    storage: { path: path.resolve(cwd, config.storage.path), name: shownPath(cwd, file) },
    maxParameterResults: config.api.maxParameterQueryResults,
    users: undefined,
    source() {
      const target = db ?? config.source;
      if (target !== undefined) return target;
      throw new ConfigError('CONFIG_INVALID_VALUE', `${file} names no source database`, {
        remedy: 'Add replication.connections to it, or name the database with --db URL',
      });
    },
  };
}

function devDatabase({ running, databaseUrl }: DevState): string {
  if (running) return databaseUrl;
  throw new AppError(
    'SOURCE_UNREACHABLE',
    'sluice dev is not running, so its database is not either',
    {
      remedy:
        'Start it (npm start), or name another database with --db URL.\nWithout --row and --sync-config the answer comes from storage alone.',
    },
  );
}

function noPlace({ syncConfig }: PlaceOptions): AppError {
  if (syncConfig === undefined) return noFolder('sluice explain', CONFIG_REMEDY);
  return new AppError('CLI_USAGE', 'It is not said which database to read', {
    remedy: 'Add --db URL, or --config FILE of a service, or start sluice dev here',
  });
}

const CONFIG_REMEDY = `Start sluice dev here first (npm start), or name the configuration of a service with --config FILE.
For a sync config without a service: --sync-config FILE --db URL`;

/** Opens the storage as a reader, which disturbs nobody. */
export function openStorage(
  storage: NonNullable<ExplainPlace['storage']>,
): ReturnType<typeof openBucketStorage> {
  // Opening would make an empty one.
  if (existsSync(storage.path)) {
    return openBucketStorage({ path: storage.path, mode: 'reader', logger: silentLogger });
  }
  throw new AppError('CLI_NOT_FOUND', `There is no bucket storage at ${storage.path}`, {
    remedy: 'Start the service once, or explain the file with --sync-config FILE',
  });
}
