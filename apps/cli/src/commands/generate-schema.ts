import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError, ConfigError } from '@sluice/base';
import { loadServiceConfig } from '@sluice/server';
import {
  clientSchemaProblems,
  SCHEMA_FORMATS,
  type ClientSchema,
  type SchemaFormat,
} from '@sluice/sync-config';
import type { CliContext } from '../cli-context.ts';
import type { SourceTarget } from '../database/open-source.ts';
import { readSourceSchema } from '../database/read-source-schema.ts';
import { findSyncConfig, readTextFile } from '../dev/dev-sync-config.ts';
import { compileChecked } from '../sync-config/compile-checked.ts';
import { counted, shownPath } from '../terminal/text.ts';
import { findFolder } from './tail.ts';

export interface GenerateSchemaOptions {
  /** A name of `SCHEMA_FORMATS`. */
  readonly format: string;
  readonly out?: string | undefined;
  /** Of a service, which names sync config and database. */
  readonly config?: string | undefined;
  /** `false`: no database, so only columns that the config writes out. Absent: that of sluice dev. */
  readonly db?: string | false | undefined;
  readonly package: string;
  readonly dir?: string | undefined;
  readonly check?: boolean | undefined;
  readonly listFormats?: boolean | undefined;
}

/**
 * Writes the client schema of a sync config to `--out`, or prints it. What there is to say about the
 * config then goes to standard error, so that the output can be piped.
 */
export async function generateSchemaCommand(
  context: CliContext,
  file: string | undefined,
  options: GenerateSchemaOptions,
): Promise<void> {
  const { screen } = context;
  if (options.listFormats) {
    const width = Math.max(...SCHEMA_FORMATS.map(({ name }) => name.length));
    for (const { name, description } of SCHEMA_FORMATS) {
      screen.print(`${name.padEnd(width)}  ${description}`);
    }
    return;
  }
  const format = findFormat(options.format);
  if (options.check && options.out === undefined) {
    throw new AppError('CLI_USAGE', '--check compares with a file', { remedy: 'Add --out FILE' });
  }
  const schema = await readClientSchema(context, await findInput(context, file, options));
  for (const problem of clientSchemaProblems(schema)) {
    context.errors.print(`${context.errors.colors.yellow('!')} ${problem}`);
  }
  const text = format.generate(schema, { npmPackage: options.package });
  const out = options.out === undefined ? undefined : path.resolve(context.cwd, options.out);
  if (out === undefined) {
    screen.print(text.trimEnd());
  } else if (options.check) {
    await compareFile(out, text, shownPath(context.cwd, out));
    screen.print(`${screen.colors.green('✓')} ${shownPath(context.cwd, out)} is up to date`);
  } else {
    await writeFile(out, text);
    const what = `${counted(schema.tables.length, 'table')}, ${counted(schema.streams.length, 'stream')}`;
    screen.print(`${screen.colors.green('✓')} ${shownPath(context.cwd, out)} written: ${what}`);
  }
}

function findFormat(name: string): SchemaFormat {
  const format = SCHEMA_FORMATS.find((known) => known.name === name);
  if (format !== undefined) return format;
  throw new AppError('CLI_USAGE', `There is no format ${name}`, {
    remedy: `Use one of ${SCHEMA_FORMATS.map((known) => known.name).join(', ')}`,
  });
}

async function compareFile(file: string, wanted: string, shown: string): Promise<void> {
  const present = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  // Git may have checked it out with other line ends.
  if (present?.replaceAll('\r\n', '\n') === wanted) return;
  const what = present === undefined ? 'does not exist' : 'differs from the sync config';
  throw new AppError('CLI_OUT_OF_DATE', `${shown} ${what}`);
}

interface Input {
  readonly fileName: string;
  readonly text: string;
  /** Undefined: without a database. */
  readonly target: SourceTarget | undefined;
}

/** Of the service configuration where one is named, else the file and the database named or near. */
async function findInput(
  context: CliContext,
  file: string | undefined,
  options: GenerateSchemaOptions,
): Promise<Input> {
  const { cwd, env } = context;
  if (options.config === undefined) {
    const target = options.db === false ? undefined : (options.db ?? devDatabase(context, options));
    const found = nearbySyncConfig(cwd, file, options);
    return { fileName: shownPath(cwd, found), text: await readTextFile(found), target };
  }
  const config = await loadServiceConfig({ env, cwd, configPath: options.config });
  const text =
    file === undefined ? config.syncConfig?.text : await readTextFile(path.resolve(cwd, file));
  if (text === undefined) {
    throw new ConfigError('CONFIG_FILE_MISSING', `${options.config} names no sync config`);
  }
  const target = options.db === false ? undefined : (options.db ?? config.source);
  if (target === undefined && options.db !== false) throw noDatabase();
  return { fileName: file ?? config.syncConfig?.path ?? options.config, text, target };
}

/** The file named, else one of the usual names here, else the sample's for its own database. */
function nearbySyncConfig(
  cwd: string,
  file: string | undefined,
  { db }: GenerateSchemaOptions,
): string {
  const own = findSyncConfig(cwd, { syncConfig: file, db: '' });
  const found = own ?? (db === undefined ? findSyncConfig(cwd, {}) : undefined);
  if (found !== undefined) return found;
  throw new ConfigError('CONFIG_FILE_MISSING', 'There is no sync-config.yaml here', {
    remedy: 'Name the sync config: sluice generate schema FILE',
  });
}

function devDatabase(context: CliContext, options: GenerateSchemaOptions): string {
  const state = findFolder(context, options.dir)?.state();
  if (state === undefined) throw noDatabase();
  if (state.running) return state.databaseUrl;
  throw new AppError(
    'SOURCE_UNREACHABLE',
    'sluice dev is not running, so its database is not either',
    {
      remedy: 'Start it, or name another database with --db URL',
    },
  );
}

function noDatabase(): AppError {
  return new AppError('CLI_USAGE', 'It is not said which database to read columns and types from', {
    remedy:
      'Add --db URL, or --config FILE of a service, or start sluice dev here.\nWith --no-db only columns that the sync config writes out are known, all as text.',
  });
}

async function readClientSchema(context: CliContext, input: Input): Promise<ClientSchema> {
  const { defaultSchema, tables } = await readSourceSchema(input.target);
  const plan = compileChecked(context.errors, input.text, {
    fileName: input.fileName,
    defaultSchema,
    sourceSchema: tables,
  });
  return plan.clientSchema(tables);
}
