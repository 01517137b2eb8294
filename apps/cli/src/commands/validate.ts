import path from 'node:path';
import { ConfigError } from '@sluice/base';
import type { TableSchema } from '@sluice/model';
import type { CliContext } from '../cli-context.ts';
import { openSource } from '../database/open-source.ts';
import { readTextFile } from '../dev/dev-sync-config.ts';
import { compileChecked } from '../sync-config/compile-checked.ts';
import { counted } from '../terminal/text.ts';

/** Prints every problem of a sync config with its place; with a database also unknown names. */
export async function validateCommand(
  { screen, cwd }: CliContext,
  file: string,
  options: { readonly db?: string | undefined },
): Promise<void> {
  const text = await readTextFile(path.resolve(cwd, file));
  const { defaultSchema, tables } = await readSchema(options.db);
  const plan = compileChecked(screen, text, {
    fileName: file,
    defaultSchema,
    sourceSchema: tables,
  });
  if (plan.tables.length === 0 && plan.definitions.length > 0) {
    throw new ConfigError('CONFIG_SYNC_INVALID', `${file} reads no table`);
  }
  const what = `${counted(plan.definitions.length, 'definition')}, ${counted(plan.tables.length, 'table')}`;
  screen.print(`${screen.colors.green('✓')} ${file} is valid: ${what}`);
}

async function readSchema(db: string | undefined): Promise<{
  readonly defaultSchema: string;
  readonly tables: readonly TableSchema[] | undefined;
}> {
  if (db === undefined) return { defaultSchema: 'public', tables: undefined };
  await using source = openSource(db);
  return { defaultSchema: source.defaultSchema, tables: await source.readSchema() };
}
