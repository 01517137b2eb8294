import path from 'node:path';
import type { CliContext } from '../cli-context.ts';
import { manifestLines, readManifest } from '../functions/functions-folder.ts';

export interface FunctionsOptions {
  readonly json?: boolean | undefined;
}

/** Prints what a folder of functions defines. */
export async function listFunctions(
  { screen, cwd }: CliContext,
  folder: string,
  options: FunctionsOptions,
): Promise<void> {
  const manifest = await readManifest(path.resolve(cwd, folder));
  if (options.json === true) {
    screen.print(JSON.stringify(manifest, undefined, 2));
    return;
  }
  for (const line of manifestLines(manifest)) screen.print(line);
}

/** Loads a folder of functions as the service does; types are not checked. */
export async function checkFunctions({ screen, cwd }: CliContext, folder: string): Promise<void> {
  const lines = manifestLines(await readManifest(path.resolve(cwd, folder)));
  screen.print(`${screen.colors.green('✓')} ${lines.length} functions can be loaded`);
}
