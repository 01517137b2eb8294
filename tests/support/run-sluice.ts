import { spawn } from 'node:child_process';
import path from 'node:path';

const SLUICE = path.resolve(import.meta.dirname, '../../apps/cli/bin/sluice.js');

/** Runs a command of the built program to its end. */
export function runSluice(
  args: readonly string[],
  options: { readonly cwd: string },
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [SLUICE, ...args], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (part: string) => (output += part);
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}
