import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CliContext } from '../cli-context.ts';
import { configSchemaText } from '../sync-config/config-schema-file.ts';

/** Prints the JSON Schema of sync configs, or writes it to a file. */
export async function configSchemaCommand(
  { screen, cwd }: CliContext,
  options: { readonly out?: string | undefined },
): Promise<void> {
  if (options.out === undefined) {
    screen.print(configSchemaText().trimEnd());
    return;
  }
  await writeFile(path.resolve(cwd, options.out), configSchemaText());
  screen.print(`${screen.colors.green('✓')} ${options.out} written. In the sync config, write:`);
  screen.print(`  # yaml-language-server: $schema=./${path.basename(options.out)}`);
}
