import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pause, toAppError, type AppError, type Clock } from '@sluice/base';
import type { AppFunctions } from './app-functions.ts';

/** Looking is cheap, and works the same with every editor and file system. */
const POLL_MS = 300;

export interface WatchFunctionsOptions {
  readonly functions: AppFunctions;
  readonly folder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** After each attempt; with what is wrong, in which case the functions from before serve on. */
  readonly onReload: (problem: AppError | undefined) => void;
}

/** For development: reads the functions again when a file changes, until the signal aborts. */
export async function watchFunctions(options: WatchFunctionsOptions): Promise<void> {
  const { functions, folder, clock, signal, onReload } = options;
  let handled = await fingerprint(folder, functions.inputs);
  let seen = handled;
  for (;;) {
    await pause(clock, POLL_MS, signal);
    if (signal.aborted) return;
    const now = await fingerprint(folder, functions.inputs);
    const isResting = now === seen;
    seen = now;
    if (!isResting || now === handled) continue;
    handled = now;
    try {
      await functions.reload();
      // What the new files import may lie elsewhere.
      handled = await fingerprint(folder, functions.inputs);
      seen = handled;
      onReload(undefined);
    } catch (error) {
      onReload(toAppError(error));
    }
  }
}

/** Changes with everything that is done to the files of the folder, or to what they import. */
async function fingerprint(folder: string, inputs: readonly string[]): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const files = new Set([...inputs, ...names.map((name) => path.join(folder, name))]);
  const parts = await Promise.all(
    [...files].sort().map(async (file) => {
      const facts = await stat(file).catch(() => undefined);
      return `${file} ${facts?.ino} ${facts?.size} ${facts?.mtimeMs}`;
    }),
  );
  return parts.join('\n');
}
