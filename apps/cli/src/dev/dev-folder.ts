import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@sluice/base';
import { newStoredKey, writeKeyFile } from '@sluice/write-api';

/** What a running (or the last) `sluice dev` tells the other commands. */
export interface DevState {
  readonly pid: number;
  readonly serviceUrl: string;
  readonly uploadUrl: string;
  /** With password: the folder is for this user only. */
  readonly databaseUrl: string;
  /** Of the bucket storage. */
  readonly storagePath?: string | undefined;
  readonly users: readonly string[];
  /** File of the bucket storage, in the folder; absent in folders of older versions. */
  readonly storageName?: string | undefined;
  /** Of the embedded server, so that connection strings stay the same from start to start. */
  readonly postgresPort?: number | undefined;
  readonly running: boolean;
}

const KEY_FILE = 'keys.json';

/**
 * The folder in which `sluice dev` keeps everything that outlives it: database, bucket storage,
 * signing key, and where it listens.
 */
export class DevFolder {
  readonly path: string;

  private constructor(folder: string) {
    this.path = folder;
  }

  /** Makes the folder unless it exists. */
  static async create(folder: string): Promise<DevFolder> {
    const absolute = path.resolve(folder);
    // Others must be able to pass through: as root, PostgreSQL runs as an unprivileged user below it.
    await mkdir(absolute, { recursive: true, mode: 0o755 });
    await writeFile(path.join(absolute, '.gitignore'), '*\n');
    return new DevFolder(absolute);
  }

  /** The `.sluice` folder of this directory or of the nearest one above that has one. */
  static find(from: string): DevFolder | undefined {
    for (let at = path.resolve(from); ; at = path.dirname(at)) {
      const candidate = path.join(at, '.sluice');
      if (existsSync(path.join(candidate, KEY_FILE))) return new DevFolder(candidate);
      if (at === path.dirname(at)) return undefined;
    }
  }

  static at(folder: string): DevFolder {
    return new DevFolder(path.resolve(folder));
  }

  file(...names: readonly string[]): string {
    return path.join(this.path, ...names);
  }

  /** The file of the keys that sign development tokens; made at first use. */
  async keyFile(): Promise<string> {
    const file = this.file(KEY_FILE);
    if (!existsSync(file)) {
      const nowMs = Date.now();
      await writeKeyFile(file, [await newStoredKey({ alg: 'ES256', nowMs, signsFromMs: nowMs })]);
    }
    return file;
  }

  /** What opens the admin API of the service that runs here; made at first use. */
  async apiToken(): Promise<string> {
    const file = this.file('api-token');
    if (!existsSync(file)) await writeFile(file, `${newSecret()}\n`, { mode: 0o600 });
    return (await readFile(file, 'utf8')).trim();
  }

  state(): DevState | undefined {
    try {
      return JSON.parse(readFileSync(this.file('dev.json'), 'utf8')) as DevState;
    } catch (error) {
      // Missing at the first start; a damaged one only costs the remembered ports.
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') {
        return undefined;
      }
      throw error;
    }
  }

  /** What a `sluice dev` that runs now has written; undefined also after one that was killed. */
  runningState(): DevState | undefined {
    const state = this.state();
    return state?.running && isNodeProcess(state.pid) ? state : undefined;
  }

  async saveState(state: DevState): Promise<void> {
    const file = this.file('dev.json');
    await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  /** @throws AppError `CLI_ALREADY_RUNNING` while another `sluice dev` uses the folder. */
  assertFree(): void {
    const state = this.runningState();
    if (state === undefined || state.pid === process.pid) return;
    throw new AppError(
      'CLI_ALREADY_RUNNING',
      `sluice dev already runs on ${this.path} (process ${state.pid}, ${state.serviceUrl})`,
    );
  }
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Process ids are reused, so where the system tells, the program must be Node. */
function isNodeProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const commandLine = `/proc/${pid}/cmdline`;
  if (!existsSync(commandLine)) return process.platform !== 'linux';
  return readFileSync(commandLine, 'utf8').split('\0')[0]?.includes('node') ?? false;
}
