import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError, silentLogger, type Clock } from '@sluice/base';
import { FakeClock } from '@sluice/testing';
import { jsonFetcher } from './fetch-json.ts';
import { addressFilter } from './ip-ranges.ts';
import type { KeyLookup } from './key-set.ts';
import { RemoteKeys } from './remote-keys.ts';
import { verifyToken } from './verify-token.ts';

const MINUTE = 60_000;

/** Sleeps never end by themselves: what waits for a fetch waits for the fetch. */
class TestClock implements Clock {
  nowMs = 1_767_225_600_000;
  now(): number {
    return this.nowMs;
  }
  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    });
  }
}

describe('a JWKS server', () => {
  let server: Server;
  let url = '';
  let served: { status: number; body: unknown };
  let requests = 0;
  let movedTo = '';
  let clock: TestClock;
  let keys: RemoteKeys;
  let signers: Record<string, Awaited<ReturnType<typeof generateKeyPair>>>;

  beforeEach(async () => {
    clock = new TestClock();
    requests = 0;
    served = { status: 200, body: { keys: [] } };
    server = createServer((request, response) => {
      requests += 1;
      if (request.url === '/moved') response.writeHead(302, { location: movedTo }).end();
      else if (request.url === '/endless') response.write('{"keys":[');
      else if (request.url !== '/silent')
        response.writeHead(served.status).end(JSON.stringify(served.body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    keys = new RemoteKeys({ url, fetchJson: fetcher(), clock, logger: silentLogger });
    signers = { a: await generateKeyPair('ES256'), b: await generateKeyPair('ES256') };
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  function fetcher(ranges: readonly string[] = [], allowIpv6 = true) {
    return jsonFetcher({ isBlocked: addressFilter(ranges), allowIpv6, timeoutMs: 5000 });
  }

  async function serve(...names: string[]): Promise<void> {
    const jwks: JWK[] = [];
    for (const name of names) {
      jwks.push({ ...(await exportJWK(signer(name).publicKey)), kid: name });
    }
    served = { status: 200, body: { keys: jwks } };
  }

  function signer(name: string) {
    const pair = signers[name];
    if (!pair) throw new Error(`no signer ${name}`);
    return pair;
  }

  async function check(name: string): Promise<string> {
    const now = Math.floor(clock.now() / 1000);
    const token = await new SignJWT({ sub: 'u', aud: 'x', iat: now, exp: now + 60 })
      .setProtectedHeader({ alg: 'ES256', kid: name })
      .sign(signer(name).privateKey);
    try {
      await verifyToken(token, { keys, audience: ['x'], clock });
      return 'ok';
    } catch (error) {
      if (error instanceof AppError) return error.code;
      throw error;
    }
  }

  it('is asked once for many tokens', async () => {
    await serve('a');
    expect(await Promise.all([check('a'), check('a'), check('a')])).toEqual(['ok', 'ok', 'ok']);
    expect(requests).toBe(1);
  });

  it('is asked again in the background after five minutes', async () => {
    await serve('a');
    expect(await check('a')).toBe('ok');
    await serve('b');
    clock.nowMs += 5 * MINUTE - 1;
    expect(await check('a')).toBe('ok');
    expect(requests).toBe(1);
    clock.nowMs += 1;
    expect(await check('a')).toBe('ok');
    await vi.waitFor(async () => expect(await check('b')).toBe('ok'));
    expect(requests).toBe(2);
  });

  it('brings a new key for later requests once a token names it', async () => {
    await serve('a');
    expect(await check('a')).toBe('ok');
    await serve('a', 'b');
    clock.nowMs += 1000;
    expect(await check('b')).toBe('SYNC_TOKEN_INVALID');
    await vi.waitFor(async () => expect(await check('b')).toBe('ok'));
  });

  it('may fail for an hour, and recovers by itself', async () => {
    await serve('a');
    expect(await check('a')).toBe('ok');
    served = { status: 500, body: {} };
    clock.nowMs += 59 * MINUTE;
    expect(await check('a')).toBe('ok');
    await vi.waitFor(() => expect(requests).toBe(2));
    clock.nowMs += MINUTE;
    expect(await check('a')).toBe('SYNC_KEYS_UNAVAILABLE');
    await serve('a');
    clock.nowMs += MINUTE;
    expect(await check('a')).toBe('ok');
  });

  it('is not flooded by unknown keys', async () => {
    await serve('a');
    expect(await check('a')).toBe('ok');
    for (let i = 0; i < 100; i++) {
      expect(await check('b')).toBe('SYNC_TOKEN_INVALID');
      await keysSettle();
    }
    expect(requests).toBeLessThanOrEqual(2);
    for (let i = 0; i < 100; i++) {
      clock.nowMs += 1000;
      await check('b');
      await keysSettle();
    }
    expect(requests).toBeLessThanOrEqual(12);
  });

  it('cannot hand out shared secrets or keys for encryption', async () => {
    const jwk = { ...(await exportJWK(signer('a').publicKey)), kid: 'a' };
    const answer = async (...list: object[]) => {
      served = { status: 200, body: { keys: list } };
      const fresh = new RemoteKeys({ url, fetchJson: fetcher(), clock, logger: silentLogger });
      return (await fresh.lookup()).keys.length;
    };
    expect(await answer(jwk, { ...jwk, use: 'sig' }, { ...jwk, key_ops: ['verify'] })).toBe(3);
    expect(
      await answer(
        { kty: 'oct', alg: 'HS256', k: 'YWJj' },
        { ...jwk, use: 'enc' },
        { ...jwk, key_ops: ['encrypt'] },
      ),
    ).toBe(0);
  });

  // spec/protocol.md 1.5: S2202 and S2203
  it.each([
    { what: 'an address', url: () => url, ranges: ['local'] },
    { what: 'a name', url: () => url.replace('127.0.0.1', 'localhost'), ranges: ['local'] },
    { what: 'where it moved to', url: () => moved('http://10.0.0.1/'), ranges: ['10.0.0.0/8'] },
  ])('is refused in a refused range: $what', async ({ url: from, ranges }) => {
    const refusing = { url: from(), fetchJson: fetcher(ranges), clock, logger: silentLogger };
    const { keys: found, error } = await new RemoteKeys(refusing).lookup();
    expect(found).toEqual([]);
    expect(error?.code).toBe('SYNC_KEYS_ADDRESS_REFUSED');
    expect(error?.message).toMatch(/ could not be fetched: the address [0-9.:]+ is refused$/);
  });

  it('is refused at an IPv6 address where those are refused', async () => {
    const at = (address: string, ranges: readonly string[]) =>
      new RemoteKeys({
        url: `http://${address}/`,
        fetchJson: fetcher(ranges, false),
        clock,
        logger: silentLogger,
      }).lookup();
    expect((await at('[2001:db8::1]', [])).error?.code).toBe('SYNC_KEYS_IPV6_REFUSED');
    expect((await at('[::1]', ['local'])).error?.code).toBe('SYNC_KEYS_IPV6_REFUSED');
  });

  it('is not refused outside of the ranges, also where it moved', async () => {
    await expect(fetcher(['10.0.0.0/8'])(url)).resolves.toEqual(served.body);
    await expect(fetcher()(moved(url))).resolves.toEqual(served.body);
  });

  // spec/protocol.md 7.2
  it('is waited for by a request for 3 s, and the keys that come later are kept', async () => {
    const standing = new FakeClock();
    let answer = (_document: unknown): void => {};
    const fetchJson = () => new Promise<unknown>((resolve) => (answer = resolve));
    const slow = new RemoteKeys({ url, fetchJson, clock: standing, logger: silentLogger });
    let found: KeyLookup | undefined;
    void slow.lookup().then((result) => (found = result));
    await standing.advance(2999);
    expect(found).toBeUndefined();
    await standing.advance(1);
    expect(found?.error?.code).toBe('SYNC_KEYS_UNAVAILABLE');
    expect(found?.error?.message).toContain('took too long');
    await serve('a');
    answer(served.body);
    await vi.waitFor(async () => expect((await slow.lookup()).keys).toHaveLength(1));
  });

  it.each(['/silent', '/endless'])('is given up after the timeout of a fetch: %s', async (path) => {
    const impatient = jsonFetcher({ isBlocked: () => false, allowIpv6: true, timeoutMs: 200 });
    const startedAtMs = performance.now();
    await expect(impatient(new URL(path, url).href)).rejects.toThrow('no answer within 200 ms');
    expect(performance.now() - startedAtMs).toBeGreaterThan(190);
    server.closeAllConnections();
  });

  function moved(to: string): string {
    movedTo = to;
    return new URL('/moved', url).href;
  }

  /** Lets a background fetch over loopback end. */
  async function keysSettle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }
});

describe('address ranges', () => {
  const isLocal = addressFilter(['local']);
  const table: readonly (readonly [string, boolean])[] = [
    ['127.0.0.1', true],
    ['10.1.2.3', true],
    ['172.31.255.255', true],
    ['172.32.0.0', false],
    ['169.254.169.254', true],
    ['8.8.8.8', false],
    ['::1', true],
    ['fe80::1', true],
    ['fd00::1', true],
    ['2001:4860:4860::8888', false],
    ['::ffff:10.0.0.1', true],
    ['::ffff:8.8.8.8', false],
  ];
  for (const [address, expected] of table) {
    it(`${address} is ${expected ? '' : 'not '}local`, () =>
      expect(isLocal(address)).toBe(expected));
  }
});
