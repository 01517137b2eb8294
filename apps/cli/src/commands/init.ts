import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@sluice/base';
import type { CliContext } from '../cli-context.ts';
import { openSource } from '../database/open-source.ts';
import { starterConfig } from '../database/starter-config.ts';
import { counted } from '../terminal/text.ts';

export interface InitOptions {
  readonly db: string;
  readonly out: string;
  readonly force?: boolean | undefined;
}

/** Writes a sync config to begin with, made from the tables of a database. */
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
  screen.print(
    `${screen.colors.green('✓')} ${options.out} written from ${counted(tables.length, 'table')}`,
  );
  screen.print('  Look it over: it decides who sees what. Then run:');
  screen.print(`    npx sluice dev --db URL --sync-config ${options.out}`);
}
