import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError, SyncError, type ErrorCode } from '@sluice/base';
import type { Diagnostic } from '@sluice/sync-config';
import { listenScripted } from '../testing/listen-scripted.ts';
import { syncConfigError } from '../admin/compile-config.ts';
import { LINES, ScriptedBackend } from '../testing/scripted-backend.ts';
import type { OpenStream } from './backend.ts';
import type { HttpServer, HttpServerOptions } from './http-server.ts';

let backend: ScriptedBackend;
let server: HttpServer;

async function listen(options: Partial<HttpServerOptions> = {}): Promise<void> {
  server = await listenScripted({
    apiTokens: ['admin'],
    probes: true,
    backend,
    ...options,
  });
}

beforeEach(async () => {
  backend = new ScriptedBackend();
  await listen();
});
afterEach(() => server.close(0));

const GOOD = { authorization: 'Token good' };
const JSON_TYPE = { 'content-type': 'application/json' };

function post(path: string, body: string | undefined, headers: Record<string, string> = {}) {
  return fetch(server.url + path, {
    method: 'POST',
    ...(body === undefined ? {} : { body }),
    headers,
  });
}

interface ErrorAnswer {
  readonly status: number;
  readonly code: string;
  readonly type: string | null;
}

async function errorOf(answer: Promise<Response>): Promise<ErrorAnswer> {
  const response = await answer;
  const body = (await response.json()) as { error: { code: string; status: number } };
  expect(body.error.status).toBe(response.status);
  const type = response.headers.get('content-type');
  return { status: response.status, code: body.error.code, type };
}
const refused = (status: number, code: string): ErrorAnswer => ({
  status,
  code,
  type: 'application/json',
});

describe('common rules', () => {
  it('answers 404 in the standard form for unknown paths and wrong methods', async () => {
    expect(await errorOf(fetch(`${server.url}/nope`))).toEqual(refused(404, 'PSYNC_S2002'));
    expect(await errorOf(fetch(`${server.url}/sync/stream`))).toEqual(refused(404, 'PSYNC_S2002'));
    const put = fetch(`${server.url}/sync/stream`, { method: 'PUT' });
    expect(await errorOf(put)).toEqual(refused(404, 'PSYNC_S2002'));
  });
  it('refuses a malformed body before it looks at the token', async () => {
    const type = JSON_TYPE;
    expect((await errorOf(post('/sync/stream', '{', type))).status).toBe(400);
    expect((await errorOf(post('/sync/stream', '', type))).status).toBe(400);
    expect(await errorOf(post('/sync/stream', '{"parameters":null}', type))).toEqual(
      refused(400, 'PSYNC_S2001'),
    );
    expect(await errorOf(post('/sync/stream', '{}', type))).toEqual(refused(401, 'PSYNC_S2106'));
  });
  it('names the problems of a request', async () => {
    const response = await post('/sync/stream', '{"parameters":[],"raw_data":null}', JSON_TYPE);
    const { error } = (await response.json()) as { error: { details: string } };
    expect(JSON.parse(error.details)).toHaveLength(2);
  });
  it('refuses other types and bodies above 1 MiB', async () => {
    const plain = post('/sync/stream', '{}', { 'content-type': 'text/plain' });
    expect((await errorOf(plain)).status).toBe(415);
    const atLimit = JSON.stringify({ app_metadata: { a: 'x'.repeat(1024 * 1024 - 25) } });
    expect(Buffer.byteLength(atLimit)).toBe(1024 * 1024);
    expect((await post('/sync/stream', atLimit, { ...JSON_TYPE, ...GOOD })).status).toBe(200);
    expect((await errorOf(post('/sync/stream', `${atLimit} `, JSON_TYPE))).status).toBe(413);
  });
  it('takes a POST without type and body as one without parameters', async () => {
    expect((await post('/sync/stream', undefined, GOOD)).status).toBe(200);
  });
  it('takes a GET with a JSON content type and no body', async () => {
    const url = `${server.url}/write-checkpoint2.json?client_id=c`;
    const response = await fetch(url, { headers: { ...JSON_TYPE, ...GOOD } });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ data: { write_checkpoint: '7' } });
    expect(backend.writeCheckpointUsers).toEqual(['u1/c']);
  });
  it('lets body fields win over the query string', async () => {
    await post('/sync/stream?client_id=query', '{}', { ...JSON_TYPE, ...GOOD });
    await post('/sync/stream?client_id=query', '{"client_id":"body"}', { ...JSON_TYPE, ...GOOD });
    expect(backend.opened.map(({ user }) => user)).toEqual(['u1/query', 'u1/body']);
  });
  it('answers preflight requests, and allows every origin on every answer', async () => {
    const preflight = await fetch(`${server.url}/sync/stream`, { method: 'OPTIONS' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe(
      'Content-Type, Authorization, User-Agent, X-User-Agent',
    );
    expect(preflight.headers.get('access-control-max-age')).toBe('3600');
    for (const answer of [
      preflight,
      await fetch(`${server.url}/nope`),
      await post('/sync/stream', '{}', { ...JSON_TYPE, ...GOOD }),
      await post('/sync/stream', '{}', JSON_TYPE),
    ]) {
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.get('access-control-expose-headers')).toBe('Content-Type');
      await answer.body?.cancel();
    }
  });
  it('shows the stack outside production only, and hides messages of the inside in production', async () => {
    const fail = () => Promise.reject(new Error('secret host'));
    backend.writeCheckpoint = fail;
    const ask = async () => {
      const response = await fetch(`${server.url}/write-checkpoint2.json`, { headers: GOOD });
      return ((await response.json()) as { error: Record<string, unknown> }).error;
    };
    expect(await ask()).toMatchObject({ code: 'PSYNC_S0001', status: 500 });
    expect(JSON.stringify(await ask())).not.toContain('secret host');
    await server.close(0);
    await listen({ production: false });
    expect(await ask()).toMatchObject({ description: 'secret host' });
    expect((await ask())['stack']).toContain('secret host');
  });
});

describe('the stream', () => {
  const HEADERS = { ...JSON_TYPE, ...GOOD };

  it('answers 200 with the exact content type and the lines', async () => {
    const response = await post('/sync/stream', '{}', HEADERS);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(await response.text()).toBe(LINES.join(''));
  });
  it('speaks BSON to who prefers it', async () => {
    const accept = 'application/vnd.powersync.bson-stream;q=0.9,application/x-ndjson;q=0.8';
    const response = await post('/sync/stream', '{}', { ...HEADERS, accept });
    expect(response.headers.get('content-type')).toBe('application/vnd.powersync.bson-stream');
    expect(backend.opened[0]?.format).toBe('bson');
    await response.body?.cancel();
  });
  it('turns a failure before the first byte into a JSON error', async () => {
    backend.stream = () => failing(new SyncError('SYNC_NO_ACTIVE_CONFIG', 'Nothing is active'));
    expect(await errorOf(post('/sync/stream', '{}', HEADERS))).toEqual(refused(500, 'PSYNC_S2302'));
    backend.stream = () => failing(new SyncError('SYNC_SHUTTING_DOWN', 'Stopping'));
    expect(await errorOf(post('/sync/stream', '{}', HEADERS))).toEqual(refused(503, 'PSYNC_S2003'));
    expect(server.streamCount).toBe(0);
  });
  it('cuts the connection after a later failure', async () => {
    let fail = (): void => {};
    const failure = new Promise<void>((resolve) => (fail = resolve));
    backend.stream = async function* () {
      yield [Buffer.from(LINES[0] ?? '')];
      await failure;
      throw new Error('later');
    };
    const response = await post('/sync/stream', '{}', HEADERS);
    expect(response.status).toBe(200);
    fail();
    await expect(response.text()).rejects.toThrow();
    await vi.waitFor(() => expect(server.streamCount).toBe(0));
  });
  it('aborts the session when the client goes', async () => {
    backend.stream = (open) => waiting(open);
    const abort = new AbortController();
    const response = await fetch(`${server.url}/sync/stream`, {
      method: 'POST',
      headers: GOOD,
      signal: abort.signal,
    });
    expect(response.status).toBe(200);
    expect(server.streamCount).toBe(1);
    abort.abort();
    await vi.waitFor(() => expect(backend.opened[0]?.signal.aborted).toBe(true));
    await vi.waitFor(() => expect(server.streamCount).toBe(0));
  });
  it.each([1024 * 1024, 4 * 1024])(
    'asks for no more than a slow client takes: %d bytes at a time',
    async (bytes) => {
      let produced = 0;
      const chunk = Buffer.alloc(bytes);
      backend.stream = async function* (open) {
        while (!open.signal.aborted) {
          produced += bytes;
          yield [chunk];
          // As others want their turn, too.
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const { port } = new URL(server.url);
      const socket = connect(Number(port), '127.0.0.1');
      socket.pause();
      socket.write('POST /sync/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Token good\r\n\r\n');
      await vi.waitFor(() => expect(produced).toBeGreaterThan(0));
      let last = -1;
      // It has stopped once two looks in a row find the same number.
      await vi.waitFor(
        () => {
          const before = last;
          last = produced;
          expect(produced).toBe(before);
        },
        { interval: 100 },
      );
      expect(produced).toBeLessThan(20 * 1024 * 1024);
      socket.destroy();
      await vi.waitFor(() => expect(server.streamCount).toBe(0));
    },
  );
  it('answers 429 with an empty body above the bound, and has room again afterwards', async () => {
    backend.stream = (open) => waiting(open);
    const abort = new AbortController();
    const open = () =>
      fetch(`${server.url}/sync/stream`, { method: 'POST', headers: GOOD, signal: abort.signal });
    await open();
    await open();
    const third = await open();
    expect([third.status, await third.text()]).toEqual([429, '']);
    abort.abort();
    await vi.waitFor(() => expect(server.streamCount).toBe(0));
    backend.stream = async function* () {
      yield [Buffer.from('x')];
    };
    const later = await post('/sync/stream', '{}', HEADERS);
    expect([later.status, await later.text()]).toEqual([200, 'x']);
  });
});

describe('probes', () => {
  const ask = async (name: string) => {
    const response = await fetch(`${server.url}/probes/${name}`);
    return { status: response.status, body: await response.json() };
  };
  it('say the truth of each', async () => {
    backend.probeState = {
      started: true,
      ready: false,
      live: true,
      touchedAtMs: 1767225600000,
      problems: [{ component: 'canary', code: 'HEALTH_CANARY_LOST' }],
    };
    const body = {
      started: true,
      ready: false,
      touched_at: '2026-01-01T00:00:00.000Z',
      problems: [{ component: 'canary', code: 'HEALTH_CANARY_LOST' }],
    };
    expect(await ask('startup')).toEqual({ status: 200, body });
    expect(await ask('readiness')).toEqual({ status: 400, body });
    expect(await ask('liveness')).toEqual({ status: 200, body });
    backend.probeState = { ...backend.probeState, live: false };
    expect((await ask('liveness')).status).toBe(400);
  });
  it('exist only when they are enabled', async () => {
    await server.close(0);
    await listen({ probes: false });
    expect((await ask('startup')).status).toBe(404);
  });
});

describe('admin routes', () => {
  const ADMIN = { authorization: 'Bearer admin' };

  it('want one of the API tokens', async () => {
    const ask = (headers: Record<string, string>) =>
      errorOf(post('/api/admin/v1/diagnostics', undefined, headers));
    expect(await ask({})).toEqual(refused(401, 'PSYNC_S2101'));
    expect(await ask({ authorization: 'Token other' })).toEqual(refused(401, 'PSYNC_S2101'));
    await server.close(0);
    await listen({ apiTokens: [] });
    expect(await ask(ADMIN)).toEqual(refused(401, 'PSYNC_S2101'));
  });
  const SLOT = { data: { slot_name: 's' } };
  const YAML = { 'content-type': 'application/yaml' };
  const SQL = { query: 'SELECT $1', args: ['a', 1, true] };

  it.each<[string, string, Record<string, string>, unknown, unknown]>([
    ['admin/v1/execute-sql', JSON.stringify({ sql: SQL, connection_id: 'c' }), JSON_TYPE,
      ['executeSql', { sql: 'SELECT $1', args: SQL.args, connectionId: 'c' }], SLOT],
    ['admin/v1/diagnostics', '{"sync_rules_content":true,"other":1}', JSON_TYPE, ['diagnostics', { withContent: true }], SLOT],
    ['admin/v1/diagnostics', '{}', JSON_TYPE, ['diagnostics', { withContent: false }], SLOT],
    ['admin/v1/schema', '{"other":1}', JSON_TYPE, ['schema'], SLOT],
    ['admin/v1/reprocess', '{"other":1}', JSON_TYPE, ['reprocess'],
      { data: { connections: [{ id: 'default', tag: 'main', slot_name: 's' }] } }],
    ['admin/v1/validate', '{"sync_rules":"a: 1"}', JSON_TYPE, ['validate', 'a: 1'], SLOT],
    ['admin/v1/plan', '{"sync_rules":"a: 1"}', JSON_TYPE, ['plan', 'a: 1'], SLOT],
    ['admin/v1/rollback', '{}', JSON_TYPE, ['rollBack'], SLOT],
    ['admin/v1/status', '{}', JSON_TYPE, ['status'], SLOT],
    ['sync-rules/v1/deploy', 'a: 1', YAML, ['deploy', 'a: 1'], SLOT],
    ['sync-rules/v1/deploy', '{"content":"a: 1"}', JSON_TYPE, ['deploy', 'a: 1'], SLOT],
    ['sync-rules/v1/reprocess', '{}', JSON_TYPE, ['reprocess'], SLOT],
  ])('%s %s', async (route, body, type, asked, answer) => {
    const response = await post(`/api/${route}`, body, { ...type, ...ADMIN });
    expect([response.status, await response.json()]).toEqual([200, answer]);
    expect(backend.asked).toEqual([asked]);
  }); // prettier-ignore

  it.each([
    ['admin/v1/execute-sql', '{}'],
    ['admin/v1/execute-sql', '{"sql":{"query":"SELECT 1"}}'],
    ['admin/v1/execute-sql', '{"sql":{"query":"SELECT 1","args":[null]}}'],
    ['admin/v1/execute-sql', '{"sql":{"query":"SELECT 1","args":[]},"connection_id":1}'],
    ['admin/v1/diagnostics', '{"sync_rules_content":"yes"}'],
    ['admin/v1/validate', '{}'],
    ['admin/v1/plan', '{"sync_rules":1}'],
    ['sync-rules/v1/deploy', '{"sync_rules":"a: 1"}'],
    ['sync-rules/v1/validate', '{"content":null}'],
    ['sync-rules/v1/reprocess', '{"content":"a: 1"}'],
  ])('refuse wrong parameters before they look at the token: %s %s', async (route, body) => {
    const refusal = post(`/api/${route}`, body, JSON_TYPE);
    expect(await errorOf(refusal)).toEqual(refused(400, 'PSYNC_S2001'));
    expect(backend.asked).toEqual([]);
  });

  it('take YAML on two routes only', async () => {
    const ask = (route: string) => errorOf(post(`/api/${route}`, 'a: 1', { ...YAML, ...ADMIN }));
    expect((await ask('admin/v1/validate')).status).toBe(415);
    expect((await ask('sync-rules/v1/reprocess')).status).toBe(415);
    const validated = await post('/api/sync-rules/v1/validate', 'a: 1', { ...YAML, ...ADMIN });
    expect(await validated.text()).toBe('{\n  "valid": true,\n  "content": "a: 1"\n}');
  });

  it('show the current config as pretty JSON', async () => {
    const response = await fetch(`${server.url}/api/sync-rules/v1/current`, { headers: ADMIN });
    const data = { current: { slot_name: 's' }, next: null };
    expect(await response.text()).toBe(JSON.stringify({ data }, undefined, 2));
  });

  it.each<[ErrorCode, number, string]>([
    ['API_SYNC_CONFIG_PINNED', 422, 'PSYNC_S4105'],
    ['API_NO_ACTIVE_CONFIG', 422, 'PSYNC_S4104'],
    ['API_DEPLOY_IN_PROGRESS', 409, 'PSYNC_S4106'],
    ['CONFIG_SYNC_INVALID', 422, 'PSYNC_R0001'],
    ['CONFIG_NO_PREVIOUS', 422, 'PSYNC_S2001'],
    ['REPLICATION_WAITING', 503, 'PSYNC_S2001'],
    ['API_DEPLOY_UNANSWERED', 504, 'PSYNC_S2001'],
  ])('answer %s with %i %s', async (code, status, wireCode) => {
    backend.adminError = new AppError(code, 'No');
    for (const route of ['sync-rules/v1/deploy', 'admin/v1/reprocess']) {
      const body = JSON.stringify(route.endsWith('deploy') ? { content: '' } : {});
      const answer = errorOf(post(`/api/${route}`, body, { ...JSON_TYPE, ...ADMIN }));
      expect(await answer).toEqual(refused(status, wireCode));
    }
  });

  it('tell of a config with errors what is wrong, in the details', async () => {
    backend.adminError = syncConfigError('a: 1', [ERROR], 'sync config');
    const response = await post('/api/sync-rules/v1/deploy', 'a: 1', { ...YAML, ...ADMIN });
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    expect(error).toMatchObject({
      code: 'PSYNC_R0001',
      status: 422,
      description: 'The sync config has 1 error',
      details: 'sync config:1:4: error YAML_SCHEMA: Not so\n  a: 1\n     ^',
    });
  });
});

const ERROR: Diagnostic = {
  severity: 'error',
  code: 'YAML_SCHEMA',
  message: 'Not so',
  start: 3,
  end: 4,
};

describe('closing', () => {
  it('lets streams end, and refuses new ones', async () => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => (finish = resolve));
    backend.stream = async function* () {
      yield [Buffer.from('first\n')];
      await finished;
      yield [Buffer.from('last\n')];
    };
    const response = await post('/sync/stream', '{}', { ...JSON_TYPE, ...GOOD });
    const closed = server.close(5000);
    finish();
    expect(await response.text()).toBe('first\nlast\n');
    await closed;
    await expect(fetch(server.url)).rejects.toThrow();
  });
  it('does not wait for connections without a request', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    const startedMs = Date.now();
    await server.close(10_000);
    await ended;
    expect(Date.now() - startedMs).toBeLessThan(5000);
  });
  it('cuts what does not end in time', async () => {
    backend.stream = (open) => waiting(open);
    const response = await post('/sync/stream', '{}', { ...JSON_TYPE, ...GOOD });
    await server.close(10);
    await expect(response.text()).rejects.toThrow();
  });
});

it('says why it cannot listen', async () => {
  const port = Number(new URL(server.url).port);
  const second = listenScripted({
    port,
    limits: { maxConcurrentConnections: 1, maxBytesInFlight: 1 << 28, slowClientTimeoutMs: 60_000 },
    probes: true,
    backend,
  });
  await expect(second).rejects.toMatchObject({
    code: 'API_LISTEN_FAILED',
    message: `Cannot listen on 127.0.0.1:${port}: another process listens there`,
  });
});

async function* failing(error: Error): AsyncGenerator<readonly Uint8Array[]> {
  await Promise.reject(error);
  yield [];
}

/** One line, then silence until the client goes. */
async function* waiting(open: OpenStream): AsyncGenerator<readonly Uint8Array[]> {
  yield [Buffer.from('{}\n')];
  await new Promise<void>((resolve) =>
    open.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}
