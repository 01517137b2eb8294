import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { until } from '@sluice/testing';
import { stringify } from 'yaml';
import type { TokenIssuer } from './tokens.ts';

const SLUICE = path.resolve(import.meta.dirname, '../../apps/cli/bin/sluice.js');

export interface ServiceProcessOptions {
  readonly dir: string;
  readonly databaseUrl: string;
  readonly syncConfig: string;
  readonly issuer: TokenIssuer;
  readonly port?: number;
  /** Options of Node itself, e.g. for a profile. */
  readonly nodeOptions?: readonly string[];
  /** Further keys of the source connection. */
  readonly connection?: Readonly<Record<string, unknown>>;
  /** Further keys of the configuration, such as another storage. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** `sluice start` as a process of its own, from the built program. */
export class ServiceProcess {
  readonly port: number;
  readonly #configPath: string;
  readonly #nodeOptions: readonly string[];
  #child: ChildProcess | undefined;
  #log = '';

  private constructor(port: number, configPath: string, nodeOptions: readonly string[]) {
    this.port = port;
    this.#configPath = configPath;
    this.#nodeOptions = nodeOptions;
  }

  static async create(options: ServiceProcessOptions): Promise<ServiceProcess> {
    const port = options.port ?? (await freePort());
    const configPath = path.join(options.dir, 'service.yaml');
    await writeFile(path.join(options.dir, 'sync-config.yaml'), options.syncConfig);
    const connection = {
      type: 'postgresql',
      uri: options.databaseUrl,
      sslmode: 'disable',
      ...options.connection,
    };
    await writeFile(
      configPath,
      stringify({
        replication: { connections: [connection] },
        storage: { type: 'sqlite', path: path.join(options.dir, 'storage.db') },
        sync_config: { path: 'sync-config.yaml' },
        client_auth: { jwks: { keys: [options.issuer.jwk] }, audience: [options.issuer.audience] },
        healthcheck: { probes: { use_http: true } },
        port,
        ...options.config,
      }),
    );
    return new ServiceProcess(port, configPath, options.nodeOptions ?? []);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What the service has printed since its first start. */
  get log(): string {
    return this.#log;
  }

  /** Waits for a line of the log, from `from` characters on. */
  async untilLogged(pattern: RegExp, options: { from?: number; timeoutMs?: number } = {}) {
    const { from = 0, timeoutMs = 20_000 } = options;
    const find = () => pattern.exec(this.#log.slice(from)) ?? undefined;
    const failure = () => new Error(`${pattern} was not logged:\n${this.#log.slice(from)}`);
    const [line] = await until(`the log has ${pattern}`, find, timeoutMs).catch(() => {
      throw failure();
    });
    return line;
  }

  probe(name: 'liveness' | 'readiness' | 'startup'): Promise<number> {
    return fetch(`${this.url}/probes/${name}`).then(({ status }) => status);
  }

  start(): void {
    const command = [SLUICE, 'start', '--config', this.#configPath];
    const child = spawn(process.execPath, [...this.#nodeOptions, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const collect = (part: string): void => {
      this.#log = (this.#log + part).slice(-200_000);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    this.#child = child;
  }

  async untilReady(timeoutMs = 60_000): Promise<void> {
    const ready = async (): Promise<boolean> => {
      if (this.#child?.exitCode !== null) throw new Error(`The service ended:\n${this.#log}`);
      const response = await fetch(`${this.url}/probes/readiness`).catch(() => undefined);
      return response?.status === 200;
    };
    try {
      await until('the service is ready', ready, timeoutMs);
    } catch (cause) {
      throw new Error(`The service is not ready:\n${this.#log.slice(-4000)}`, { cause });
    }
  }

  /** Waits until the service has ended by itself; resolves with its exit code. */
  untilEnded(): Promise<number> {
    return until('the service has ended', () => this.#child?.exitCode ?? undefined);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Resolves with the exit code, or null after a signal. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      return child?.exitCode ?? null;
    }
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return ended;
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
