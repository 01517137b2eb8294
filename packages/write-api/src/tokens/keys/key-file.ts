import { constants } from 'node:fs';
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@sluice/base';
import { formatKeyFile, parseKeyFile, type StoredKey } from './key-file-format.ts';

/** Changes whenever the file does. */
export type FileVersion = string;

export interface ReadKeyFile {
  readonly keys: readonly StoredKey[];
  readonly version: FileVersion;
}

/**
 * Reads a file of keys that nobody else can read.
 *
 * @throws AppError `TOKENS_KEYS_MISSING`, `TOKENS_KEYS_EXPOSED`, `TOKENS_KEYS_INVALID`.
 */
export async function readKeyFile(file: string): Promise<ReadKeyFile> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY);
  } catch (cause) {
    throw missing(file, cause);
  }
  try {
    // Looked at through the handle, so that it is the file that is read.
    const facts = await handle.stat();
    if (!facts.isFile()) throw missing(file, new Error('it is not a file'));
    assertPrivate(file, facts);
    return { keys: parse(file, await handle.readFile('utf8')), version: versionOf(facts) };
  } finally {
    await handle.close();
  }
}

/** @throws AppError `TOKENS_KEYS_MISSING`. */
export async function keyFileVersion(file: string): Promise<FileVersion> {
  try {
    return versionOf(await stat(file));
  } catch (cause) {
    throw missing(file, cause);
  }
}

/**
 * Replaces the file in one step, with mode 0600; a reader sees the older keys or the new ones.
 * Two that write at the same time: the second is refused.
 *
 * @throws AppError `TOKENS_KEYS_MISSING` when it cannot be written.
 */
export async function writeKeyFile(file: string, keys: readonly StoredKey[]): Promise<void> {
  const fresh = `${file}.new`;
  let handle: FileHandle;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    handle = await open(fresh, 'wx', 0o600);
  } catch (cause) {
    throw unwritten(file, fresh, cause);
  }
  try {
    try {
      await handle.writeFile(formatKeyFile(keys));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, file);
  } catch (cause) {
    await rm(fresh, { force: true });
    throw unwritten(file, fresh, cause);
  }
}

interface FileFacts {
  readonly mode: number;
  readonly uid: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * The rule that PostgreSQL has for its keys: for the owner alone, or, where root owns it, also
 * readable for the group (which is how secrets are mounted into containers).
 */
function assertPrivate(file: string, { mode, uid }: FileFacts): void {
  if (process.platform === 'win32') return;
  const allowed = uid === 0 ? 0o740 : 0o700;
  const permissions = mode & 0o777;
  if ((permissions & ~allowed) === 0) return;
  const shown = permissions.toString(8).padStart(4, '0');
  throw new AppError(
    'TOKENS_KEYS_EXPOSED',
    `Others may read or change the keys in ${file} (mode ${shown})`,
    { details: { file, mode: shown }, remedy: `Run: chmod 600 ${file}` },
  );
}

function parse(file: string, text: string): readonly StoredKey[] {
  try {
    return parseKeyFile(text);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, `${error.message} (${file})`, { details: { file } });
  }
}

function versionOf({ ino, size, mtimeMs }: FileFacts): FileVersion {
  return `${ino}/${size}/${mtimeMs}`;
}

function missing(file: string, cause: unknown): AppError {
  const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
  return new AppError('TOKENS_KEYS_MISSING', `The keys in ${file} cannot be read: ${reason}`, {
    cause,
    details: { file, reason },
    remedy: reason === 'ENOENT' ? `Run: sluice keys generate --out ${file}` : undefined,
  });
}

function unwritten(file: string, fresh: string, cause: unknown): AppError {
  const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
  const isTaken = reason === 'EEXIST';
  return new AppError('TOKENS_KEYS_MISSING', `The keys in ${file} cannot be written: ${reason}`, {
    cause,
    details: { file, reason },
    remedy: isTaken
      ? `Another command writes them; if none runs, delete ${fresh}`
      : 'Check the folder and its permissions',
  });
}
