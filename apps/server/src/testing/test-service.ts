import { SignJWT } from 'jose';
import { expect, vi } from 'vitest';
import { silentLogger, type JsonObject } from '@sluice/base';
import { loadServiceConfig } from '../config/load-config.ts';
import { startService, type Service } from '../service.ts';

const SECRET = Buffer.from('a-secret-for-tests-of-the-service');

export interface TestServiceOptions {
  readonly uri: string;
  readonly storagePath: string;
  /** Absent: it is deployed through the API. */
  readonly syncConfig?: string | undefined;
  readonly exitOnError?: boolean | undefined;
  readonly debugApi?: boolean | undefined;
}

/** A service on any free port that takes the tokens of `tokenFor`, and `admin` for the admin routes. */
export async function startTestService(options: TestServiceOptions): Promise<Service> {
  const { uri, storagePath, syncConfig, exitOnError, debugApi } = options;
  const settings = {
    replication: {
      connections: [{ type: 'postgresql', uri, sslmode: 'disable', debug_api: debugApi ?? false }],
    },
    storage: { type: 'sqlite', path: storagePath, compact_every_seconds: 60 },
    host: '127.0.0.1',
    port: 0,
    client_auth: {
      jwks: { keys: [{ kty: 'oct', alg: 'HS256', k: SECRET.toString('base64url') }] },
      audience: ['test'],
    },
    api: { tokens: ['admin'] },
    ...(syncConfig === undefined
      ? {}
      : { sync_config: { content: syncConfig, exit_on_error: exitOnError ?? true } }),
  };
  const configText = JSON.stringify(settings);
  const config = await loadServiceConfig({ env: {}, cwd: '/', configText });
  return startService(config, { logger: silentLogger });
}

export async function tokenFor(user: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({ sub: user, aud: 'test', iat: now, exp: now + 3600 })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(SECRET);
  return `Token ${token}`;
}

/** A client's stream, line by line. */
export class LineReader {
  readonly lines: JsonObject[] = [];
  readonly #response: Response;
  readonly #abort: AbortController;
  readonly ended: Promise<void>;

  private constructor(response: Response, abort: AbortController) {
    this.#response = response;
    this.#abort = abort;
    this.ended = this.#read();
    this.ended.catch(() => {}); // looked at by those who wait for it
  }

  static async open(service: Service, user: string, body: JsonObject = {}): Promise<LineReader> {
    const abort = new AbortController();
    const response = await fetch(`${service.url}/sync/stream`, {
      method: 'POST',
      headers: { authorization: await tokenFor(user), 'content-type': 'application/json' },
      body: JSON.stringify({ raw_data: true, client_id: 'c1', ...body }),
      signal: abort.signal,
    });
    expect(response.status).toBe(200);
    return new LineReader(response, abort);
  }

  async #read(): Promise<void> {
    let rest = '';
    const text = this.#response.body?.pipeThrough(new TextDecoderStream());
    for await (const part of text ?? []) {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.lines.push(JSON.parse(line) as JsonObject);
    }
  }

  /** Waits for `count` completed checkpoints; the lines up to the last of them. */
  async completed(count: number): Promise<readonly JsonObject[]> {
    await until(() => {
      const done = this.lines.filter((line) => 'checkpoint_complete' in line).length;
      expect(done).toBeGreaterThanOrEqual(count);
    });
    return this.lines;
  }

  close(): void {
    this.#abort.abort();
  }
}

export function until(check: () => void | Promise<void>, timeoutMs = 30_000): Promise<void> {
  return vi.waitFor(check, { timeout: timeoutMs, interval: 20 });
}

export async function probe(service: Service, name: string): Promise<number> {
  return (await fetch(`${service.url}/probes/${name}`)).status;
}

export async function untilReady(service: Service): Promise<void> {
  await until(async () => expect(await probe(service, 'readiness')).toBe(200));
}

interface DataLine {
  readonly data: {
    readonly data: readonly { readonly op: string; readonly data: string | null }[];
  };
}

/** What the data lines bring, in order. */
export function ops(lines: readonly JsonObject[]): string[] {
  return lines
    .filter((line) => 'data' in line)
    .flatMap((line) => (line as unknown as DataLine).data.data)
    .map(({ op, data }) => `${op} ${data}`);
}

export const kinds = (lines: readonly JsonObject[]): string[] =>
  lines.map((line) => Object.keys(line).join()).filter((kind) => kind !== 'token_expires_in');
