import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chown,
  cp,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { runningServer } from './running-server.ts';

/**
 * Folders that any user can reach, for servers that root starts as somebody else:
 *
 *     sluice-postgres-binaries-<hash>/        one copy of each version, shared
 *     sluice-postgres-data-<hash>/data/       one for each wanted data folder
 *     sluice-postgres-data-<hash>/wanted      where it is wanted: a link stands there
 */
const PARENT = '/var/tmp';
const DATA_PREFIX = 'sluice-postgres-data-';

export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** The copy of the binaries, made if there is none; several processes may ask at once. */
export async function sharedBinaries(from: string, runAs: RunAs): Promise<string> {
  const program = path.join(from, 'bin', 'postgres');
  const { mtimeMs, size } = await stat(program);
  const version = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout;
  const id = hash(`${version} ${size} ${mtimeMs}`);
  const copy = path.join(PARENT, `sluice-postgres-binaries-${id}`);
  if (canRun(path.join(copy, 'bin', 'postgres'), runAs)) return copy;
  const draft = `${copy}.${process.pid}`;
  await cp(from, draft, { recursive: true, verbatimSymlinks: true });
  try {
    await rename(draft, copy);
  } catch (error) {
    // Another process was first, or there is a half copy of an older version of this file.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    if (canRun(path.join(copy, 'bin', 'postgres'), runAs)) {
      await rm(draft, { recursive: true, force: true });
    } else {
      await rm(copy, { recursive: true, force: true });
      await rename(draft, copy);
    }
  }
  return copy;
}

/** Where the data wanted at `wanted` lives instead. */
export async function relocatedData(wanted: string, runAs: RunAs): Promise<string> {
  const home = path.join(PARENT, `${DATA_PREFIX}${hash(wanted)}`);
  await mkdir(home, { recursive: true, mode: 0o755 });
  await writeFile(path.join(home, 'wanted'), wanted);
  const data = path.join(home, 'data');
  const isLinked = (await readlink(wanted).catch(nothingThere)) === data;
  // Who removed the folder wanted to be rid of what was in it.
  if (!isLinked && !runningServer(data)) await rm(data, { recursive: true, force: true });
  await ownedDirectory(data, runAs);
  return data;
}

/** Removes data whose wanted place no longer leads to it, unless a server runs on it. */
export async function sweepRelocatedData(): Promise<void> {
  const names = (await readdir(PARENT)).filter((name) => name.startsWith(DATA_PREFIX));
  for (const name of names) {
    const home = path.join(PARENT, name);
    const data = path.join(home, 'data');
    const wanted = await readFile(path.join(home, 'wanted'), 'utf8').catch(nothingThere);
    // Without a note it is just being made, or not ours.
    if (wanted === undefined || hash(wanted) !== name.slice(DATA_PREFIX.length)) continue;
    const target = await readlink(wanted).catch(nothingThere);
    if (target === data || (await isRecent(home)) || runningServer(data)) continue;
    await rm(home, { recursive: true, force: true });
  }
}

/** Between making the folder and setting the link, another process must not take it for a leftover. */
const RECENT_MS = 10_000;

async function isRecent(home: string): Promise<boolean> {
  const found = await stat(path.join(home, 'wanted')).catch(nothingThere);
  return found === undefined || Date.now() - found.mtimeMs < RECENT_MS;
}

function nothingThere(error: unknown): undefined {
  if (['ENOENT', 'EINVAL', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
    return undefined;
  throw error;
}

export function canRun(binary: string, user: RunAs): boolean {
  return spawnSync(binary, ['--version'], { ...user, cwd: '/' }).status === 0;
}

export async function ownedDirectory(directory: string, user: RunAs): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chown(directory, user.uid, user.gid);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
