import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chown, cp, mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@sluice/base';

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
 * under /var/tmp, and a link stands at the wanted place.
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
  const id = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const home = path.join('/var/tmp', `sluice-postgres-${id}`);
  await mkdir(home, { recursive: true, mode: 0o755 });
  const binariesDir = path.join(home, 'native');
  if (!canRun(path.join(binariesDir, 'bin', 'postgres'), runAs)) {
    await rm(binariesDir, { recursive: true, force: true });
    await cp(wanted.binariesDir, binariesDir, { recursive: true, verbatimSymlinks: true });
  }
  await ownedDirectory(path.join(home, 'data'), runAs);
  await mkdir(path.dirname(dataDir), { recursive: true });
  await rm(dataDir, { recursive: true, force: true });
  await symlink(path.join(home, 'data'), dataDir);
  return { binariesDir, dataDir: path.join(home, 'data'), runAs };
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

function canRun(binary: string, user: { uid: number; gid: number }): boolean {
  return spawnSync(binary, ['--version'], { ...user, cwd: '/' }).status === 0;
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

async function ownedDirectory(directory: string, user: { uid: number; gid: number }) {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chown(directory, user.uid, user.gid);
}
