import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '@sluice/base';
import { FakeClock } from '@sluice/testing';
import { sessionCheck, type SessionCheckOptions } from './session-check.ts';

let server: Server;
let url: string;
let clock: FakeClock;
let asked: IncomingMessage[];
let respond: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  clock = new FakeClock();
  asked = [];
  respond = (_, response) => answer(response, 200, { user_id: 'ann' });
  server = createServer((request, response) => {
    asked.push(request);
    respond(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/session`;
});
afterEach(async () => {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
});

function answer(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
}

function newCheck(options: Partial<SessionCheckOptions> = {}) {
  const signIn = sessionCheck({
    url,
    headers: ['authorization', 'cookie'],
    timeoutMs: 5000,
    cacheMs: 10_000,
    clock,
    ...options,
  });
  return async (headers: Record<string, string>): Promise<unknown> => {
    const request = {
      url: new URL('http://x/token'),
      headers: new Headers(headers),
      parameters: {},
    };
    try {
      return await signIn(request);
    } catch (error) {
      if (error instanceof AppError) return error.code;
      throw error;
    }
  };
}

const ANN = { userId: 'ann', claims: {} };
const COOKIE = { cookie: 'session=1' };

describe('what the app answers', () => {
  const UNAVAILABLE = 'TOKENS_SIGN_IN_UNAVAILABLE';
  const table: readonly (readonly [number, unknown, unknown])[] = [
    [200, { user_id: 'ann' }, ANN],
    [200, { user_id: 'ann', claims: { role: 'a' } }, { userId: 'ann', claims: { role: 'a' } }],
    [200, { userId: 'ann' }, ANN],
    [200, { sub: 'ann' }, ANN],
    [200, { user_id: 7 }, { userId: '7', claims: {} }],
    [401, { error: 'no session' }, 'TOKENS_SIGN_IN_REFUSED'],
    [401, '', 'TOKENS_SIGN_IN_REFUSED'],
    [403, '', 'TOKENS_SIGN_IN_REFUSED'],
    [200, '', UNAVAILABLE],
    [200, '<html>', UNAVAILABLE],
    [200, 'null', UNAVAILABLE],
    [200, [], UNAVAILABLE],
    [200, {}, UNAVAILABLE],
    [200, { user_id: '' }, UNAVAILABLE],
    [200, { user_id: null }, UNAVAILABLE],
    [200, { user_id: 1.5 }, UNAVAILABLE],
    [200, { user_id: { id: 1 } }, UNAVAILABLE],
    [200, { user_id: 'ann', claims: [] }, UNAVAILABLE],
    [200, { user_id: 'ann', padding: 'x'.repeat(70_000) }, UNAVAILABLE],
    [201, { user_id: 'ann' }, UNAVAILABLE],
    [404, '', UNAVAILABLE],
    [500, '', UNAVAILABLE],
  ];
  for (const [status, body, expected] of table) {
    it(`${status} ${JSON.stringify(body).slice(0, 50)} is ${JSON.stringify(expected)}`, async () => {
      respond = (_, response) => answer(response, status, body);
      expect(await newCheck()(COOKIE)).toEqual(expected);
    });
  }

  it('a redirect is not followed', async () => {
    respond = (request, response) =>
      request.url === '/session'
        ? answer(response, 302, '', { location: '/login' })
        : answer(response, 200, { user_id: 'eve' });
    expect(await newCheck()(COOKIE)).toBe(UNAVAILABLE);
    expect(asked.map((request) => request.url)).toEqual(['/session']);
  });

  it('no answer in time', async () => {
    respond = () => {};
    expect(await newCheck({ timeoutMs: 50 })(COOKIE)).toBe(UNAVAILABLE);
  });

  it('an answer that does not end in time', async () => {
    respond = (_, response) => response.writeHead(200).write('{"user_id"');
    expect(await newCheck({ timeoutMs: 50 })(COOKIE)).toBe(UNAVAILABLE);
  });

  it('nobody there', async () => {
    expect(await newCheck({ url: 'http://127.0.0.1:1/session' })(COOKIE)).toBe(UNAVAILABLE);
  });
});

describe('what the app is told', () => {
  it('the configured headers, and none of the others', async () => {
    const check = newCheck({ headers: ['Authorization', 'X-Tenant'] });
    await check({ authorization: 'Bearer x', cookie: 'a=1', 'x-tenant': 't', 'x-other': 'o' });
    const { authorization, cookie, 'x-tenant': tenant, 'x-other': other } = asked[0]?.headers ?? {};
    expect({ authorization, cookie, tenant, other }).toEqual({
      authorization: 'Bearer x',
      cookie: undefined,
      tenant: 't',
      other: undefined,
    });
    expect(asked[0]?.method).toBe('GET');
  });

  it('without any of them it is not asked', async () => {
    expect(await newCheck()({ 'x-other': 'o' })).toBe('TOKENS_SIGN_IN_REFUSED');
    expect(asked).toEqual([]);
  });
});

describe('the cache', () => {
  it('an answer is good for equal headers, for as long as configured', async () => {
    const check = newCheck();
    expect([await check(COOKIE), await check(COOKIE)]).toEqual([ANN, ANN]);
    expect(asked).toHaveLength(1);
    await check({ cookie: 'session=2' });
    await check({ authorization: 'session=1' });
    expect(asked).toHaveLength(3);
    await clock.advance(10_000);
    respond = (_, response) => answer(response, 401, '');
    expect(await check(COOKIE)).toBe('TOKENS_SIGN_IN_REFUSED');
  });

  it('requests at the same time share one question', async () => {
    const check = newCheck({ cacheMs: 0 });
    expect(await Promise.all([check(COOKIE), check(COOKIE), check(COOKIE)])).toEqual([
      ANN,
      ANN,
      ANN,
    ]);
    expect(asked).toHaveLength(1);
    await check(COOKIE);
    expect(asked).toHaveLength(2);
  });

  it('refusals and failures are not kept', async () => {
    const check = newCheck();
    for (const status of [401, 500]) {
      respond = (_, response) => answer(response, status, '');
      expect(await check(COOKIE)).not.toEqual(ANN);
    }
    respond = (_, response) => answer(response, 200, { user_id: 'ann' });
    expect(await check(COOKIE)).toEqual(ANN);
  });

  it('headers that look alike when put together are not the same', async () => {
    const check = newCheck({ headers: ['x-a', 'x-b'] });
    await check({ 'x-a': '1', 'x-b': '2' });
    await check({ 'x-a': '1,x-b,2' });
    await check({ 'x-b': '2' });
    expect(asked).toHaveLength(3);
  });
});
