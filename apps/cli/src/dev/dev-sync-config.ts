import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '@sluice/base';
import type { CliContext } from '../cli-context.ts';
import { openSource } from '../database/open-source.ts';
import { compileChecked } from '../sync-config/compile-checked.ts';
import { shownPath } from '../terminal/text.ts';
import { sampleDir } from './sample-database.ts';

export interface DevSyncConfig {
  readonly text: string;
  readonly path: string;
}

/** Looked for in the working directory where no file is named and the database is the user's own. */
const FILE_NAMES = ['sync-config.yaml', 'sync-config.yml', 'sync-rules.yaml'];

/**
 * Reads and checks the sync config: the file named, else the sample's own for the sample database,
 * else one of the usual names in the working directory.
 *
 * @throws ConfigError `CONFIG_FILE_MISSING`, or `CONFIG_SYNC_INVALID` after printing what is wrong.
 */
export async function loadDevSyncConfig(
  context: CliContext,
  choice: SyncConfigChoice,
  database: { readonly url: string },
): Promise<DevSyncConfig> {
  const file = findSyncConfig(context.cwd, choice);
  if (file === undefined) throw noSyncConfig();
  return checkDevSyncConfig(context, file, await readTextFile(file), { databaseUrl: database.url });
}

/**
 * Checks the text of a sync config against the database, and prints what is to be said about it.
 *
 * @throws ConfigError `CONFIG_SYNC_INVALID` when it has errors.
 */
export async function checkDevSyncConfig(
  context: CliContext,
  file: string,
  text: string,
  { databaseUrl }: { readonly databaseUrl: string },
): Promise<DevSyncConfig> {
  await using source = openSource(databaseUrl);
  const schema = await source.readSchema();
  compileChecked(context.screen, text, {
    fileName: shownPath(context.cwd, file),
    defaultSchema: source.defaultSchema,
    sourceSchema: schema,
  });
  return { text, path: file };
}

/** @throws ConfigError `CONFIG_FILE_MISSING` */
export async function readTextFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = isMissing
      ? `There is no file ${file}`
      : `The file ${file} cannot be read: ${reason}`;
    throw new ConfigError('CONFIG_FILE_MISSING', message, { cause });
  }
}

export interface SyncConfigChoice {
  readonly db?: string | undefined;
  readonly syncConfig?: string | undefined;
}

/** The path of the sync config to use; undefined when there is none yet. */
export function findSyncConfig(cwd: string, choice: SyncConfigChoice): string | undefined {
  if (choice.syncConfig !== undefined) return path.resolve(cwd, choice.syncConfig);
  if (choice.db === undefined) return path.join(sampleDir(), 'sync-config.yaml');
  return FILE_NAMES.map((name) => path.join(cwd, name)).find((file) => existsSync(file));
}

function noSyncConfig(): ConfigError {
  return new ConfigError(
    'CONFIG_FILE_MISSING',
    'There is no sync config yet, the file that says which rows each user gets',
    {
      remedy:
        'Run `sluice init --db URL`: it writes sync-config.yaml from the schema of your database. Look it over and start again.\nOr name a file with --sync-config FILE.',
    },
  );
}
