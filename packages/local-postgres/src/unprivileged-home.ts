import { spawnSync } from 'node:child_process';
import { mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@sluice/base';
import {
  canRun,
  ownedDirectory,
  relocatedData,
  sharedBinaries,
  sweepRelocatedData,
} from './relocation.ts';

/** Where a server runs from, and as whom. */
export interface ServerHome {
  readonly binariesDir: string;
  readonly dataDir: string;
  /** Undefined: as the present user. */
  readonly runAs: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * PostgreSQL refuses to run as root. As root, the server therefore runs as an unprivileged user. Where
 * that user cannot reach the wanted folders (a checkout below /root, say), binaries and data live
 * elsewhere (see `relocation.ts`), and a link stands at the wanted place.
 */
export async function serverHome(wanted: {
  readonly binariesDir: string;
  readonly dataDir: string;
}): Promise<ServerHome> {
  const dataDir = path.resolve(wanted.dataDir);
  if (process.getuid?.() !== 0) {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    return { binariesDir: wanted.binariesDir, dataDir, runAs: undefined };
  }
  const runAs = unprivilegedUser();
  if (canRun(path.join(wanted.binariesDir, 'bin', 'postgres'), runAs) && canEnter(dataDir, runAs)) {
    await ownedDirectory(dataDir, runAs);
    return { binariesDir: wanted.binariesDir, dataDir, runAs };
  }
  await sweepRelocatedData();
  const data = await relocatedData(dataDir, runAs);
  await mkdir(path.dirname(dataDir), { recursive: true });
  await rm(dataDir, { recursive: true, force: true });
  await symlink(data, dataDir);
  return { binariesDir: await sharedBinaries(wanted.binariesDir, runAs), dataDir: data, runAs };
}

function unprivilegedUser(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    const gid = spawnSync('id', ['-g', name], { encoding: 'utf8' });
    if (uid.status === 0 && gid.status === 0) {
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    }
  }
  throw new AppError('SOURCE_UNREACHABLE', 'PostgreSQL cannot run as root here', {
    remedy: 'Create a user named postgres, or start as another user',
  });
}

/** Whether the user can pass through the nearest existing ancestor of a folder. */
function canEnter(directory: string, user: { uid: number; gid: number }): boolean {
  for (let at = directory; ; at = path.dirname(at)) {
    const test = spawnSync('test', ['-x', at], { ...user, cwd: '/' });
    if (test.status === 0) return true;
    if (spawnSync('test', ['-e', at]).status === 0 && at !== directory) return false;
    if (at === path.dirname(at)) return false;
  }
}
