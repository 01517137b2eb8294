import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { verifyToken } from '@sluice/auth';
import { ERROR_TABLE, silentLogger, type JsonObject } from '@sluice/base';
import { FakeClock } from '@sluice/testing';
import { tokensConfig } from '../config/tokens-config.ts';
import { createRouter, type RequestHandler } from '../http/router.ts';
import { environmentKeys } from './keys/environment-keys.ts';
import { environmentLines } from './keys/environment-keys.ts';
import { generatePrivateJwk } from './keys/token-key.ts';
import { openTokens, type Tokens } from './open-tokens.ts';

let clock: FakeClock;
let tokens: Tokens;
let handle: RequestHandler;
const KEYS = generatePrivateJwk('EdDSA').then((jwk) => environmentLines({ ...jwk }));

async function open(section: Parameters<typeof tokensConfig>[0]): Promise<void> {
  const config = tokensConfig(section);
  const env = Object.fromEntries(
    (await KEYS).split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
  ) as Record<string, string>;
  const pair = environmentKeys(env);
  if (config === undefined || pair === undefined) throw new Error('nothing to open');
  tokens = await openTokens({
    config,
    keys: { kind: 'environment', ...pair },
    audience: ['app'],
    production: false,
    signInFunction: (name) =>
      name === 'whoami' ? async (request) => request.parameters : undefined,
    clock,
    logger: silentLogger,
  });
  handle = createRouter({ routes: tokens.routes, maxConcurrency: 10, logger: silentLogger });
}

beforeEach(async () => {
  clock = new FakeClock();
  await open({ sign_in: { users: { ann: { role: 'editor' }, ben: null } } });
});

const AT = 'http://localhost:8080/token';
const json = async (response: Response) => (await response.json()) as JsonObject;
const post = (body: string): Request => new Request(AT, { method: 'POST', body });

it('answers with a token, where it is good, and until when', async () => {
  const response = await handle(new Request(`${AT}?user_id=ann`));
  const body = await json(response);
  expect(body).toEqual({
    token: expect.any(String) as string,
    endpoint: 'http://localhost:8080',
    powersync_url: 'http://localhost:8080',
    expires_at: new Date(clock.now() + 300_000).toISOString(),
  });
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  const keys = tokens.keySource;
  const { claims } = await verifyToken(String(body['token']), { keys, audience: [], clock });
  expect(claims).toMatchObject({ sub: 'ann', aud: 'app', role: 'editor' });
});

describe('requests', () => {
  const table: readonly (readonly [string, () => Request, number, string?])[] = [
    ['GET with a name', () => new Request(`${AT}?user_id=ben`), 200],
    [
      'POST with a name in the query',
      () => new Request(`${AT}?user_id=ben`, { method: 'POST' }),
      200,
    ],
    ['POST with a name in the body', () => post('{"user_id":"ben"}'), 200],
    ['GET without a name', () => new Request(AT), 400, 'TOKENS_REQUEST_INVALID'],
    [
      'a name that nobody has',
      () => new Request(`${AT}?user_id=eve`),
      401,
      'TOKENS_SIGN_IN_REFUSED',
    ],
    ['a body that is no JSON', () => post('user_id=ben'), 400, 'TOKENS_REQUEST_INVALID'],
    ['a body that is a list', () => post('["ben"]'), 400, 'TOKENS_REQUEST_INVALID'],
    ['a body of 17 KiB', () => post(`"${'x'.repeat(17_000)}"`), 413, 'API_BODY_TOO_LARGE'],
    ['another method', () => new Request(AT, { method: 'PUT' }), 404, 'API_ROUTE_MISSING'],
    ['a preflight', () => new Request(AT, { method: 'OPTIONS' }), 204],
    [
      'a page from elsewhere',
      () => new Request(`${AT}?user_id=ann`, { headers: { origin: 'https://evil.example.com' } }),
      403,
      'TOKENS_ORIGIN_REFUSED',
    ],
  ];
  for (const [title, request, status, code] of table) {
    it(`${title}: ${status} ${code ?? ''}`, async () => {
      const response = await handle(request());
      expect(response.status).toBe(status);
      if (code !== undefined)
        expect(await json(response)).toMatchObject({ error: { code, status } });
    });
  }
});

describe('the endpoint', () => {
  it('is https behind a proxy that ends TLS', async () => {
    const headers = { 'x-forwarded-proto': 'https' };
    const response = await handle(new Request('http://sync.local/token?user_id=ann', { headers }));
    expect(await json(response)).toMatchObject({ endpoint: 'https://sync.local' });
  });

  it('is the configured one, without a slash at its end', async () => {
    await open({
      tokens: { endpoint: 'https://sync.example.com/' },
      sign_in: { users: { ann: null } },
    });
    const body = await json(await handle(new Request(`${AT}?user_id=ann`)));
    expect(body).toMatchObject({
      endpoint: 'https://sync.example.com',
      powersync_url: 'https://sync.example.com',
    });
  });
});

describe('many refusals', () => {
  const guess = (address: string, headers = {}) =>
    handle(new Request(`${AT}?user_id=eve`, { headers }), { address });
  const statuses = async (count: number, ask: (i: number) => Promise<Response>) => {
    const found: number[] = [];
    for (let i = 0; i < count; i++) found.push((await ask(i)).status);
    return found;
  };

  it('of an address end with 429 for it, and for nobody else', async () => {
    const found = await statuses(31, () => guess('192.0.2.1'));
    expect(found.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 401));
    expect(found[30]).toBe(429);
    const blocked = await guess('192.0.2.1');
    expect(blocked.headers.get('retry-after')).toBe('2');
    expect((await guess('192.0.2.2')).status).toBe(401);
    const good = await handle(new Request(`${AT}?user_id=ann`), { address: '192.0.2.1' });
    expect(good.status).toBe(429);
  });

  it('behind a proxy count for the address that the proxy added', async () => {
    await open({ sign_in: { users: { ann: null }, address_header: 'x-forwarded-for' } });
    const forged = (i: number) => guess('10.0.0.1', { 'x-forwarded-for': `1.2.3.${i}, 192.0.2.9` });
    expect((await statuses(31, forged))[30]).toBe(429);
    expect((await guess('10.0.0.1', { 'x-forwarded-for': '192.0.2.8' })).status).toBe(401);
  });

  it('requests that show nothing to guess with are not counted', async () => {
    await open({ sign_in: { session_check: 'http://127.0.0.1:1/' } });
    const found = await statuses(40, () => handle(new Request(AT), { address: '192.0.2.1' }));
    expect(new Set(found)).toEqual(new Set([401]));
  });
});

describe('a function that signs in', () => {
  it('is found by its name, and gets query and body', async () => {
    await open({ sign_in: { function: 'whoami' } });
    expect((await handle(post('{"user_id":"dora"}'))).status).toBe(200);
    expect((await handle(post('{}'))).status).toBe(503);
  });
  it('that does not exist is told at the start', async () => {
    await expect(open({ sign_in: { function: 'nobody' } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID_VALUE',
    });
  });
});

it('without a way to sign in there is no token, but the keys are published', async () => {
  await open({ tokens: {} });
  expect((await handle(new Request(AT))).status).toBe(404);
  for (const path of ['/jwks', '/.well-known/jwks.json']) {
    const response = await handle(new Request(`http://localhost${path}`));
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    expect(await json(response)).toEqual({
      keys: [
        expect.objectContaining({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' }) as object,
      ],
    });
  }
});

it('whatever is sent, the answer is a token for a known user or a refusal with a code', async () => {
  const name = fc.oneof(fc.constantFrom('ann', 'ben', '__proto__', 'constructor', ''), fc.string());
  const value = fc.oneof(name, fc.jsonValue());
  const body = fc.oneof(
    fc.string(),
    fc
      .record({ user_id: value, user: value }, { requiredKeys: [] })
      .map((it) => JSON.stringify(it)),
    fc.json(),
  );
  const header = fc.tuple(
    fc.constantFrom('origin', 'authorization', 'cookie', 'x-forwarded-proto', 'x-forwarded-for'),
    fc.stringMatching(/^[ -~]{0,40}$/),
  );
  const request = fc.record({
    query: fc.dictionary(fc.constantFrom('user_id', 'user', 'x'), name, { maxKeys: 2 }),
    body: fc.option(body),
    headers: fc.uniqueArray(header, { maxLength: 3, selector: ([it]) => it }),
  });
  let given = 0;
  await fc.assert(
    fc.asyncProperty(request, async ({ query, body, headers }) => {
      const url = `${AT}?${new URLSearchParams(query)}`;
      const method = body === null ? 'GET' : 'POST';
      const response = await handle(new Request(url, { method, headers, body }));
      const answer = await json(response);
      if (response.status === 200) {
        given += 1;
        const keys = tokens.keySource;
        const { claims } = await verifyToken(String(answer['token']), {
          keys,
          audience: [],
          clock,
        });
        expect(['ann', 'ben']).toContain(claims['sub']);
      } else {
        const { code } = answer['error'] as { code: keyof typeof ERROR_TABLE };
        expect([400, 401, 403]).toContain(response.status);
        expect(ERROR_TABLE[code].httpStatus).toBe(response.status);
        expect(answer).not.toHaveProperty('token');
      }
    }),
    { numRuns: 500 },
  );
  expect(given).toBeGreaterThan(10);
});
