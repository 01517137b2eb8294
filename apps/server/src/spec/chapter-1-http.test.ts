import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { until } from '@sluice/testing';
import { SPEC_TOKEN, startWireService, tokenWith } from '../testing/wire-service.ts';

/** spec/protocol.md 1.1 on every route of 1.2; the single routes are tested in http/. */

const JSON_TYPE = { 'content-type': 'application/json' };
const USER = { authorization: `Token ${SPEC_TOKEN}` };
const ADMIN = { authorization: 'Bearer admin' };

interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly auth: Readonly<Record<string, string>>;
  /** Smallest that is accepted. */
  readonly body?: object;
}

const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/sync/stream', auth: USER },
  { method: 'GET', path: '/write-checkpoint2.json', auth: USER },
  {
    method: 'POST',
    path: '/sync/checkpoint-request',
    auth: USER,
    body: { client_id: 'c', checkpoint_request_id: 1 },
  },
  {
    method: 'POST',
    path: '/api/admin/v1/execute-sql',
    auth: ADMIN,
    body: { sql: { query: 'SELECT 1', args: [] } },
  },
  { method: 'POST', path: '/api/admin/v1/diagnostics', auth: ADMIN },
  { method: 'POST', path: '/api/admin/v1/schema', auth: ADMIN },
  { method: 'POST', path: '/api/admin/v1/reprocess', auth: ADMIN },
  { method: 'POST', path: '/api/admin/v1/validate', auth: ADMIN, body: { sync_rules: '' } },
  { method: 'POST', path: '/api/sync-rules/v1/deploy', auth: ADMIN, body: { content: '' } },
  { method: 'POST', path: '/api/sync-rules/v1/validate', auth: ADMIN, body: { content: '' } },
  { method: 'GET', path: '/api/sync-rules/v1/current', auth: ADMIN },
  { method: 'POST', path: '/api/sync-rules/v1/reprocess', auth: ADMIN },
];
const POSTS = ROUTES.filter(({ method }) => method === 'POST');
const named = (routes: readonly Route[]) =>
  routes.map((route) => [`${route.method} ${route.path}`, route] as const);

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Without the conveniences of fetch, which adds a content type to a text. */
async function ask(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(url, { method, headers, agent: false }, resolve).once('error', reject).end(body);
  });
  const type = response.headers['content-type'];
  // A stream that is served goes on; its head says all.
  if (type?.includes('ndjson') === true) response.destroy();
  return {
    status: response.statusCode ?? 0,
    type,
    headers: response.headers,
    body: type?.includes('ndjson') === true ? '' : await text(response),
  };
}

/** With a body of JSON where there is one. */
function call({ url }: { readonly url: string }, route: Route, change: Partial<Route> = {}) {
  const { method, path, auth, body } = { ...route, ...change };
  const json = body === undefined ? undefined : JSON.stringify(body);
  return ask(url + path, method, { ...auth, ...(json === undefined ? {} : JSON_TYPE) }, json);
}

describe('1.1.2: routing, body, parameters, authorization', () => {
  it.each(named(ROUTES))('%s: another method is no route', async (_name, { path, auth }) => {
    const { url } = await startWireService();
    for (const method of ['PUT', 'DELETE', 'PATCH', 'HEAD']) {
      const answer = await ask(url + path, method, auth);
      expect(answer.status).toBe(404);
      if (method === 'HEAD') continue;
      expect(answer.type).toBe('application/json');
      expect(JSON.parse(answer.body)).toMatchObject({
        error: { code: 'PSYNC_S2002', status: 404 },
      });
    }
  });

  it.each(named(POSTS))(
    '%s: a malformed body is 400, also without a token',
    async (_name, { path }) => {
      const { url } = await startWireService();
      for (const body of ['{', '', '{"a":1}}', 'nothing']) {
        const { status } = await ask(url + path, 'POST', JSON_TYPE, body);
        expect([body, status]).toEqual([body, 400]);
      }
    },
  );

  it.each(named(ROUTES))('%s: what is well formed needs a token', async (_name, route) => {
    const service = await startWireService();
    const { status, body } = await call(service, route, { auth: {} });
    const code = route.auth === USER ? 'PSYNC_S2106' : 'PSYNC_S2101';
    expect([status, JSON.parse(body)]).toMatchObject([401, { error: { code, status: 401 } }]);
  });
});

describe('1.1.3: a result is {"data": R} with 200 and exactly application/json', () => {
  it.each(named(ROUTES.slice(1)))('%s', async (_name, route) => {
    const { status, type, body } = await call(await startWireService(), route);
    expect([status, type]).toEqual([200, 'application/json']);
    const isBare = route.path === '/api/sync-rules/v1/validate';
    expect(Object.keys(JSON.parse(body) as object)).toEqual(
      isBare ? ['valid', 'content'] : ['data'],
    );
  });
});

describe('1.1.1, 1.1.4, 1.1.5: bodies', () => {
  it.each(named(POSTS))('%s: neither type nor body is no parameters', async (_name, route) => {
    const { url } = await startWireService();
    const { status } = await ask(url + route.path, 'POST', route.auth);
    expect(status).toBe(route.body === undefined ? 200 : 400);
  });

  it.each(named(POSTS))('%s: a body that is no object is no parameters', async (_name, route) => {
    const { url } = await startWireService();
    const { status } = await ask(url + route.path, 'POST', { ...route.auth, ...JSON_TYPE }, '[1]');
    expect(status).toBe(route.body === undefined ? 200 : 400);
  });

  it.each(named(POSTS))('%s: other types are 415, above 1 MiB is 413', async (_name, route) => {
    const { url } = await startWireService();
    const post = (type: string, body: string) =>
      ask(url + route.path, 'POST', { ...route.auth, 'content-type': type }, body);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
      expect((await post(type, '{}')).status).toBe(415);
    }
    const large = JSON.stringify({ ...route.body, more: 'x'.repeat(1024 * 1024) });
    const { status, body } = await post('application/json', large);
    expect([status, JSON.parse(body)]).toMatchObject([413, { error: { status: 413 } }]);
  });

  it.each(named(ROUTES))(
    '%s: unknown fields are ignored, but by reprocess',
    async (_name, route) => {
      const service = await startWireService();
      const isStrict = route.path === '/api/sync-rules/v1/reprocess';
      const more = { path: `${route.path}?unknown=1` };
      expect((await call(service, route, more)).status).toBe(isStrict ? 400 : 200);
      if (route.method === 'GET') return;
      const body = { ...route.body, unknown: { a: [1] } };
      expect((await call(service, route, { body })).status).toBe(isStrict ? 400 : 200);
    },
  );

  it.each(named(ROUTES.filter(({ method }) => method === 'GET')))(
    '%s: a JSON type without a body is accepted',
    async (_name, { path, auth }) => {
      const { url } = await startWireService();
      expect((await ask(url + path, 'GET', { ...auth, ...JSON_TYPE })).status).toBe(200);
    },
  );

  it('parameters may be in the query of a POST; the body wins', async () => {
    const { url, backend } = await startWireService();
    const path = `${url}/sync/checkpoint-request?client_id=query&checkpoint_request_id=43`;
    await ask(path, 'POST', USER);
    await ask(path, 'POST', { ...USER, ...JSON_TYPE }, '{"client_id":"body"}');
    expect(backend.checkpointRequests).toEqual([
      ['u1/query', 43n],
      ['u1/body', 43n],
    ]);
  });
});

describe('1.1.6: CORS', () => {
  it.each(named(ROUTES))('%s', async (_name, route) => {
    const service = await startWireService();
    const preflight = await ask(service.url + route.path, 'OPTIONS', {
      origin: 'http://app',
      'access-control-request-method': route.method,
      'access-control-request-headers': 'authorization,content-type,x-user-agent',
    });
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'Content-Type, Authorization, User-Agent, X-User-Agent',
      'access-control-expose-headers': 'Content-Type',
      'access-control-max-age': '3600',
    });
    expect(preflight.headers['access-control-allow-methods']).toContain(route.method);
    const { headers } = await call(service, route);
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'Content-Type',
    });
  });
});

describe('1.1.7: groups', () => {
  it('of the admin routes 10 run and 20 wait, probes among them; above that 429 without a body', async () => {
    const { url, backend, server } = await startWireService();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    Object.assign(backend.admin, { schema: () => held.then(() => ({})) });
    const schema = () => ask(`${url}/api/admin/v1/schema`, 'POST', ADMIN);
    const answers = Array.from({ length: 30 }, schema);
    await until('all places are taken', () => server.queues['admin_waiting'] === 20);
    expect(server.queues['admin_running']).toBe(10);
    for (const over of [await schema(), await ask(`${url}/probes/liveness`, 'GET', {})]) {
      expect([over.status, over.body]).toEqual([429, '']);
    }
    release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(30).fill(200));
  });
});

describe('1.1.9: the Authorization header', () => {
  const refused = ['token', 'bearer', 'Basic', 'TOKEN', 'JWT'];

  it.each(named(ROUTES))(
    '%s: Token or Bearer, one space, and nothing behind',
    async (_name, route) => {
      const service = await startWireService();
      const secret = route.auth === USER ? SPEC_TOKEN : 'admin';
      const statusOf = async (authorization: string) =>
        (await call(service, route, { auth: { authorization } })).status;
      expect(await statusOf(`Token ${secret}`)).toBe(200);
      expect(await statusOf(`Bearer ${secret}`)).toBe(200);
      const wrong = [
        ...refused.map((scheme) => `${scheme} ${secret}`),
        `Token  ${secret}`,
        `Token ${secret} x`,
        secret,
        'Token',
      ];
      for (const header of wrong) expect([header, await statusOf(header)]).toEqual([header, 401]);
    },
  );

  it('a user token opens no admin route, nor an API token a stream', async () => {
    const { url } = await startWireService();
    expect((await ask(`${url}/api/admin/v1/schema`, 'POST', USER)).status).toBe(401);
    expect((await ask(`${url}/sync/stream`, 'POST', ADMIN)).status).toBe(401);
    const other = { authorization: `Token ${await tokenWith({})}` };
    expect((await ask(`${url}/sync/stream`, 'POST', other)).status).toBe(200);
  });
});
