import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * The process id of the PostgreSQL that runs on this data folder, or undefined. The id in
 * postmaster.pid may by now be that of any other process, so the process itself is asked.
 */
export function runningServer(dataDir: string): number | undefined {
  const pid = notedPid(dataDir);
  if (pid === undefined) return undefined;
  const command = commandOf(pid);
  // PostgreSQL is always started with its folder as the first argument, here and by pg_ctl.
  const [program, rest] = splitOnce(command, ' -D ');
  const isServer = /(^|[/\\])(postgres|postmaster)(\.exe)?"?$/.test(program);
  return isServer && `${rest} `.startsWith(`${dataDir} `) ? pid : undefined;
}

/**
 * Removes the note of a server whose process id now belongs to another program: PostgreSQL itself
 * only looks whether such a process exists, and would refuse to start.
 */
export async function forgetStrangersPid(dataDir: string): Promise<void> {
  const pid = notedPid(dataDir);
  const command = pid === undefined ? '' : commandOf(pid);
  if (command === '' || /postgres|postmaster/.test(command)) return;
  await rm(path.join(dataDir, 'postmaster.pid'), { force: true });
}

function notedPid(dataDir: string): number | undefined {
  const file = path.join(dataDir, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

/** The command line of a process; empty when there is none. Not every Linux has `ps`. */
function commandOf(pid: number): string {
  if (existsSync('/proc/self/cmdline')) {
    const file = `/proc/${pid}/cmdline`;
    return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\0', ' ').trim() : '';
  }
  const { stdout } = spawnSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8' });
  return (stdout ?? '').trim();
}

function splitOnce(text: string, by: string): readonly [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + by.length)];
}
