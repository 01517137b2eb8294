import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { must } from '@sluice/base';
import { environmentKeys, environmentLines, environmentRing } from './environment-keys.ts';
import { generatePrivateJwk } from './token-key.ts';

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

let pair: { readonly private: JWK; readonly public: JWK };
beforeAll(async () => {
  const made = await generateKeyPair('RS256', { extractable: true });
  pair = { private: await exportJWK(made.privateKey), public: await exportJWK(made.publicKey) };
});

async function kids(env: Record<string, string>): Promise<readonly string[]> {
  const ring = await environmentRing(must(environmentKeys(env)));
  const accepted = ring.accepted(0).map(({ kid }) => kid);
  expect(accepted[0]).toBe(ring.signer(0).kid);
  return accepted;
}

describe('names', () => {
  for (const prefix of ['SLUICE_', 'POWERSYNC_', '']) {
    it(`${prefix}PRIVATE_KEY and ${prefix}PUBLIC_KEY`, async () => {
      const env = {
        [`${prefix}PRIVATE_KEY`]: base64({ ...pair.private, kid: 'a', alg: 'RS256' }),
        [`${prefix}PUBLIC_KEY`]: base64({ ...pair.public, kid: 'a', alg: 'RS256' }),
      };
      expect(await kids(env)).toEqual(['a']);
    });
  }

  it('ours come first', async () => {
    const other = await generatePrivateJwk('EdDSA');
    const env = { PRIVATE_KEY: base64(pair.private), SLUICE_PRIVATE_KEY: base64(other) };
    expect(await kids(env)).toEqual([other.kid]);
  });

  it('a variable of that name that is no JSON is somebody else’s', () => {
    expect(environmentKeys({ PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----' })).toBeUndefined();
    expect(environmentKeys({})).toBeUndefined();
  });
});

it('a private key without a name takes the one of its public key', async () => {
  const env = {
    PRIVATE_KEY: base64(pair.private),
    PUBLIC_KEY: base64({ ...pair.public, kid: 'named' }),
  };
  expect(await kids(env)).toEqual(['named']);
});

it('older keys in a public key set are accepted and do not sign', async () => {
  const fresh = await generatePrivateJwk('ES256');
  const env = {
    PRIVATE_KEY: base64(fresh),
    PUBLIC_KEY: base64({ keys: [{ ...pair.public, kid: 'older' }, fresh] }),
  };
  expect(await kids(env)).toEqual([fresh.kid, 'older']);
});

it('the lines that the command prints are keys', async () => {
  const jwk = await generatePrivateJwk('ES256');
  const lines = (await environmentLines(jwk)).trim().split('\n');
  const env = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  expect(Object.keys(env)).toEqual(['SLUICE_PRIVATE_KEY', 'SLUICE_PUBLIC_KEY']);
  expect(Buffer.from(env['SLUICE_PUBLIC_KEY'] ?? '', 'base64').toString()).not.toContain('"d"');
  expect(await kids(env)).toEqual([jwk.kid]);
});

describe('what cannot be used', () => {
  const table: readonly (readonly [string, () => Record<string, string>])[] = [
    ['a private key without d', () => ({ PRIVATE_KEY: base64(pair.public) })],
    ['a secret', () => ({ PRIVATE_KEY: base64({ kty: 'oct', k: 'eA' }) })],
    [
      'a public key that is no JSON',
      () => ({ PRIVATE_KEY: base64(pair.private), PUBLIC_KEY: 'x' }),
    ],
    [
      'a public key set that is no list',
      () => ({ PRIVATE_KEY: base64(pair.private), PUBLIC_KEY: base64({ keys: 1 }) }),
    ],
    [
      'a public key of the same name that is another key, when it has no more to it',
      () => ({ PRIVATE_KEY: base64(pair.private), PUBLIC_KEY: base64({ kty: 'RSA' }) }),
    ],
  ];
  for (const [title, env] of table) {
    it(title, async () => {
      await expect(kids(env())).rejects.toMatchObject({ code: 'TOKENS_KEYS_INVALID' });
    });
  }
});
