import path from 'node:path';
import { ConfigError } from '@sluice/base';
import type { CliContext } from '../cli-context.ts';
import { readSourceSchema } from '../database/read-source-schema.ts';
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
  const { defaultSchema, tables } = await readSourceSchema(options.db);
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
