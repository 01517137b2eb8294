import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@sluice/base';
import { CONFIG_FILE_NAMES } from '@sluice/server';
import type { CliContext } from '../cli-context.ts';
import { openSource } from '../database/open-source.ts';
import { starterConfig } from '../database/starter-config.ts';
import { DATABASE_VARIABLE, starterServiceConfig } from '../database/starter-service-config.ts';
import { CONFIG_SCHEMA_FILE, configSchemaText } from '../sync-config/config-schema-file.ts';
import { counted } from '../terminal/text.ts';

export interface InitOptions {
  readonly db: string;
  readonly out: string;
  readonly force?: boolean | undefined;
}

/**
 * Writes a sync config to begin with, made from the tables of a database, and beside it a service
 * configuration where there is none.
 */
export async function initCommand(
  { screen, cwd }: CliContext,
  options: InitOptions,
): Promise<void> {
  const file = path.resolve(cwd, options.out);
  if (existsSync(file) && !options.force) {
    throw new AppError('CLI_USAGE', `${options.out} exists already`, {
      remedy: 'Name another file with --out, or overwrite it with --force',
    });
  }
  await using source = openSource(options.db);
  const tables = await source.readSchema();
  await writeFile(file, starterConfig(tables, source.defaultSchema));
  // The first line of the config names it, so that editors complete and check the keys.
  await writeFile(path.join(path.dirname(file), CONFIG_SCHEMA_FILE), configSchemaText());
  screen.print(
    `${screen.colors.green('✓')} ${options.out} written from ${counted(tables.length, 'table')}`,
  );
  const serviceFile = await writeServiceConfig(file, options.db);
  if (serviceFile !== undefined) {
    screen.print(`${screen.colors.green('✓')} ${path.relative(cwd, serviceFile)} written`);
  }
  screen.print(`  Look ${options.out} over: it decides who sees what. Then run:`);
  screen.print(`    npx sluice dev --db URL --sync-config ${options.out}`);
  if (serviceFile === undefined) return;
  const flag = path.dirname(file) === cwd ? '' : ` --config ${path.relative(cwd, serviceFile)}`;
  screen.print('  or, once client_auth names your keys:');
  screen.print(`    ${DATABASE_VARIABLE}=URL npx sluice start${flag}`);
}

/** Undefined when there is a service configuration beside the sync config: it is left as it is. */
async function writeServiceConfig(syncConfig: string, db: string): Promise<string | undefined> {
  const folder = path.dirname(syncConfig);
  if (CONFIG_FILE_NAMES.some((name) => existsSync(path.join(folder, name)))) return undefined;
  const file = path.join(folder, CONFIG_FILE_NAMES[0]);
  await writeFile(file, starterServiceConfig(db, path.basename(syncConfig)));
  return file;
}
