import { readFile, stat } from 'node:fs/promises';
import { pause, type Clock } from '@sluice/base';

/** Looking is cheap, and unlike notifications works the same with every editor and file system. */
const POLL_MS = 200;

export interface WatchFileOptions {
  readonly file: string;
  /** What is known of it; only other content is news. */
  readonly text: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Yields the text of a file each time it has changed and come to rest, and undefined when the file
 * has gone. What changes several times while the consumer is busy is yielded once, as it is then.
 */
export async function* watchFile(options: WatchFileOptions): AsyncGenerator<string | undefined> {
  const { file, clock, signal } = options;
  let text: string | undefined = options.text;
  let seen = '';
  let handled = '';
  for (; !signal.aborted; await pause(clock, POLL_MS, signal)) {
    const now = await fingerprint(file);
    const isResting = now === seen;
    seen = now;
    if (!isResting || now === handled) continue;
    handled = now;
    const read = await readText(file);
    if (read === text) continue;
    text = read;
    yield text;
  }
}

/** Changes with everything that is done to the file. */
async function fingerprint(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return 'not there';
  }
}

/** Undefined for what cannot be read: editors replace a file by removing it first. */
async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}
