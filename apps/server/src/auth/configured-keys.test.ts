import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { verifyToken } from '@sluice/auth';
import { AppError, silentLogger, type Logger } from '@sluice/base';
import { FakeClock } from '@sluice/testing';
import { loadServiceConfig } from '../config/load-config.ts';
import { configuredKeys } from './configured-keys.ts';

/** spec/protocol.md 7.2: which keys the configuration stands for, and what they verify. */

const clock = new FakeClock();
const NOW = Math.floor(clock.now() / 1000);
const DAY = 86_400;
const SECRET = 'a-secret-of-supabase-of-some-length';
const pair = await generateKeyPair('ES256', { extractable: true });
const PUBLIC = { ...(await exportJWK(pair.publicKey)), kid: 'remote' };

async function keysOf(
  clientAuth: object,
  hostname = 'db.abcdef.supabase.co',
  logger: Logger = silentLogger,
) {
  const configText = JSON.stringify({
    replication: {
      connections: [{ type: 'postgresql', uri: `postgresql://u:p@${hostname}:5432/postgres` }],
    },
    storage: { type: 'sqlite', path: 'x.db' },
    client_auth: clientAuth,
  });
  const config = await loadServiceConfig({ env: {}, cwd: '/', configText });
  const asked: string[] = [];
  const keys = configuredKeys({
    auth: config.clientAuth,
    sourceHostname: hostname,
    clock,
    logger,
    fetchJson: (url) => {
      asked.push(url);
      return url.includes('broken')
        ? Promise.reject(new Error('down'))
        : Promise.resolve({ keys: [PUBLIC] });
    },
  });
  const { audience } = config.clientAuth;
  const check = async (token: string): Promise<string> => {
    try {
      await verifyToken(token, { keys, audience, clock });
      return 'ok';
    } catch (error) {
      if (error instanceof AppError) return error.code;
      throw error;
    }
  };
  return { asked, check };
}

interface Claims {
  readonly aud?: string;
  readonly seconds?: number;
}

const remote = ({ aud = 'app', seconds = 3600 }: Claims = {}) =>
  new SignJWT({ sub: 'u', aud, iat: NOW, exp: NOW + seconds })
    .setProtectedHeader({ alg: 'ES256', kid: 'remote' })
    .sign(pair.privateKey);
const shared = ({ aud = 'authenticated', seconds = 3600 }: Claims = {}) =>
  new SignJWT({ sub: 'u', aud, iat: NOW, exp: NOW + seconds })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(SECRET));

it('jwks_uri: one or a list, asked together', async () => {
  const urls = ['https://a.example/keys', 'https://b.example/keys'];
  const one = await keysOf({ jwks_uri: urls[0], audience: ['app'] });
  expect([await one.check(await remote()), one.asked]).toEqual(['ok', urls.slice(0, 1)]);
  const both = await keysOf({ jwks_uri: urls, audience: ['app'] });
  expect([await both.check(await remote()), both.asked]).toEqual(['ok', urls]);
  expect(await both.check(await remote({ aud: 'authenticated' }))).toBe('SYNC_TOKEN_AUDIENCE');
});

it('a source that fails hides no keys of another, and is named where none fits (7.1.2)', async () => {
  const urls = ['https://broken.example/keys', 'https://b.example/keys'];
  const { check } = await keysOf({ jwks_uri: urls, audience: ['app'] });
  expect(await check(await remote())).toBe('ok');
  expect(await check(await shared({ aud: 'app' }))).toBe('SYNC_KEYS_UNAVAILABLE');
});

it.each([
  { host: '127.0.0.1', policy: { block_local_jwks: true }, code: 'SYNC_KEYS_ADDRESS_REFUSED' },
  { host: '[2001:db8::1]', policy: { block_local_jwks: true }, code: 'SYNC_KEYS_IPV6_REFUSED' },
  {
    host: '10.1.2.3',
    policy: { jwks_reject_ip_ranges: ['10.0.0.0/8'] },
    code: 'SYNC_KEYS_ADDRESS_REFUSED',
  },
  { host: '[2001:db8::1]', policy: { jwks_reject_ip_ranges: ['local'] }, code: undefined },
  { host: 'localhost', policy: { block_local_jwks: true }, code: undefined },
])('$host, written in jwks_uri, with $policy: $code is logged at start', async (row) => {
  const warned: unknown[] = [];
  const warn = (_event: string, facts?: Readonly<Record<string, unknown>>): void => {
    warned.push(facts?.['code']);
  };
  await keysOf({ jwks_uri: `http://${row.host}/keys`, ...row.policy }, 'localhost', {
    ...silentLogger,
    warn,
  });
  expect(warned).toEqual(row.code === undefined ? [] : [row.code]);
});

it('supabase: the keys of the project, its audience, and 7 days and 20 minutes', async () => {
  const { asked, check } = await keysOf({ supabase: true, audience: ['app'] });
  const aud = 'authenticated';
  expect(await check(await remote({ aud }))).toBe('ok');
  expect(asked).toEqual(['https://abcdef.supabase.co/auth/v1/.well-known/jwks.json']);
  expect(await check(await remote({ aud: 'app' }))).toBe('SYNC_TOKEN_AUDIENCE');
  expect(await check(await remote({ aud, seconds: 7 * DAY + 1200 }))).toBe('ok');
  expect(await check(await remote({ aud, seconds: 7 * DAY + 1201 }))).toBe('SYNC_TOKEN_LIFETIME');
});

it('supabase_jwt_secret: HS256 with the bytes of the text, under the same rules', async () => {
  const { check } = await keysOf({ supabase: true, supabase_jwt_secret: SECRET });
  expect(await check(await shared())).toBe('ok');
  expect(await check(await shared({ aud: 'app' }))).toBe('SYNC_TOKEN_AUDIENCE');
  expect(await check(await shared({ seconds: 7 * DAY + 1201 }))).toBe('SYNC_TOKEN_LIFETIME');
});

it('another host has no project, so nothing is asked', async () => {
  const { asked, check } = await keysOf({ supabase: true }, 'db.example.com');
  expect(await check(await remote({ aud: 'authenticated' }))).toBe('SYNC_TOKEN_INVALID');
  expect(asked).toEqual([]);
});
