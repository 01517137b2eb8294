import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { AppError, must } from '@sluice/base';
import pg from 'pg';
import { installedBinaries } from './binaries.ts';
import { forgetStrangersPid, runningServer } from './running-server.ts';
import { serverHome, type ServerHome } from './unprivileged-home.ts';

export interface LocalPostgresOptions {
  /** Made if it does not exist; an existing cluster is started as it is. */
  readonly dataDir: string;
  /** 0 or absent: any free port. */
  readonly port?: number | undefined;
  /** Server settings, e.g. `{ wal_level: 'logical' }`, on top of this module's. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Folder with `bin/`, `lib/`, `share/`; absent: what npm installed. */
  readonly binariesDir?: string | undefined;
  /** Gives up durability of the database itself; for tests. */
  readonly fast?: boolean | undefined;
  readonly startTimeoutMs?: number | undefined;
}

const USER = 'postgres';
const PASSWORD = 'postgres';

/** A PostgreSQL server that listens on loopback only. Disposing stops it; the data stays. */
export class LocalPostgres implements AsyncDisposable {
  readonly port: number;
  readonly dataDir: string;
  readonly #child: ChildProcess;
  #exited: Promise<void>;

  private constructor(child: ChildProcess, exited: Promise<void>, home: ServerHome, port: number) {
    this.#child = child;
    this.#exited = exited;
    this.port = port;
    this.dataDir = home.dataDir;
  }

  /**
   * Starts the server and waits until it answers.
   *
   * @throws AppError `SOURCE_UNREACHABLE` with the server's own last words when it does not come up.
   */
  static async start(options: LocalPostgresOptions): Promise<LocalPostgres> {
    const home = await serverHome({
      binariesDir: options.binariesDir ?? (await installedBinaries()),
      dataDir: options.dataDir,
    });
    if (!existsSync(path.join(home.dataDir, 'PG_VERSION'))) await initialize(home);
    await stopLeftover(home.dataDir);
    const port = options.port || (await freePort());
    const child = spawn(
      path.join(home.binariesDir, 'bin', 'postgres'),
      serverArgs(home, port, options),
      {
        ...home.runAs,
        cwd: home.dataDir,
        env: serverEnvironment(),
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true, // Ctrl-C in a terminal must reach the server only through stop()
      },
    );
    const words = lastWords(child);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const server = new LocalPostgres(child, exited, home, port);
    try {
      await server.#untilReady(options.startTimeoutMs ?? 60_000);
    } catch (cause) {
      await server.stop();
      throw new AppError('SOURCE_UNREACHABLE', `PostgreSQL did not start: ${words()}`, { cause });
    }
    return server;
  }

  url(database = 'postgres'): string {
    return `postgresql://${USER}:${PASSWORD}@127.0.0.1:${this.port}/${database}`;
  }

  /** Creates the database unless it exists. */
  async ensureDatabase(name: string): Promise<'created' | 'existed'> {
    const client = new pg.Client({ connectionString: this.url() });
    await client.connect();
    try {
      const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
      if (found.rowCount) return 'existed';
      await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
      return 'created';
    } finally {
      await client.end();
    }
  }

  /** Ends all sessions and stops; `immediate` as a crash would. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #untilReady(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const client = new pg.Client({ connectionString: this.url(), connectionTimeoutMillis: 2000 });
      client.on('error', () => {}); // the failed attempt below is what is reported
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        if (this.#child.exitCode !== null || Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}

function serverArgs(home: ServerHome, port: number, options: LocalPostgresOptions): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    wal_level: 'logical',
    max_replication_slots: '20',
    max_wal_senders: '20',
    max_slot_wal_keep_size: '4GB',
    timezone: 'UTC',
    ...(options.fast ? { fsync: 'off', full_page_writes: 'off' } : {}),
    ...options.settings,
  };
  return [
    '-D',
    home.dataDir,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

async function initialize(home: ServerHome): Promise<void> {
  const passwordFile = path.join(home.dataDir, '..', `.pw-${process.pid}`);
  await writeFile(passwordFile, PASSWORD, { mode: 0o644 });
  const child = spawn(
    path.join(home.binariesDir, 'bin', 'initdb'),
    [
      `--pgdata=${home.dataDir}`,
      `--username=${USER}`,
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
      '--auth=scram-sha-256',
      '--no-sync',
      '--no-instructions',
    ],
    {
      ...home.runAs,
      cwd: home.dataDir,
      env: serverEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const words = lastWords(child);
  try {
    const code = await new Promise((resolve, reject) =>
      child.once('error', reject).once('exit', resolve),
    );
    if (code !== 0) throw new AppError('SOURCE_UNREACHABLE', `initdb failed: ${words()}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** A server that outlived its parent (kill -9) is stopped before a new one starts on its data. */
async function stopLeftover(dataDir: string): Promise<void> {
  const pid = runningServer(dataDir);
  if (pid === undefined) return forgetStrangersPid(dataDir);
  process.kill(pid, 'SIGINT');
  for (let waitedMs = 0; runningServer(dataDir) === pid; waitedMs += 50) {
    if (waitedMs > 20_000) {
      throw new AppError('SOURCE_UNREACHABLE', `An old PostgreSQL (pid ${pid}) does not stop`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = must(probe.address(), 'the address of a listening socket');
      probe.close(() => resolve(typeof address === 'string' ? 0 : address.port));
    });
  });
}

/** The environment without variables that would redirect the server or its clients. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && name !== 'LD_PRELOAD'),
  );
}

/** Keeps the end of what a process wrote to standard error. */
function lastWords(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-2000);
  });
  return () => text.trim() || 'it said nothing';
}
