import { existsSync } from 'node:fs';
import path from 'node:path';
import { silentLogger } from '@sluice/base';
import { AppFunctions, type FunctionManifest } from '@sluice/write-api';

/** The folder `functions` here, if there is one. */
export function functionsFolder(cwd: string): string | undefined {
  const folder = path.join(cwd, 'functions');
  return existsSync(folder) ? folder : undefined;
}

/**
 * Loads a folder of functions, to see what is in it.
 *
 * @throws ConfigError `FUNCTION_INVALID` with file and line.
 */
export async function readManifest(folder: string): Promise<FunctionManifest> {
  await using functions = await AppFunctions.open({ folder, logger: silentLogger });
  return functions.manifest;
}

/** One line for each function: routes, hooks by table, sign-ins. */
export function manifestLines({ endpoints, tables, signIns }: FunctionManifest): readonly string[] {
  return [
    ...endpoints.map(
      ({ method, path: segments, isPublic, file }) =>
        `${method} /functions/${segments.join('/')}${isPublic ? ' (public)' : ''}  ${file}`,
    ),
    ...tables.map((entry) => {
      const hooks = (['beforeWrite', 'afterWrite', 'resolveConflict'] as const).filter(
        (hook) => entry[hook],
      );
      return `table ${entry.table}: ${hooks.join(', ')}  ${entry.file}`;
    }),
    ...signIns.map(({ name, file }) => `sign-in ${name}  ${file}`),
  ];
}
