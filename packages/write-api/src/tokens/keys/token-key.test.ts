import fc from 'fast-check';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '@sluice/base';
import { jwksRoutes } from '../jwks-routes.ts';
import { FakeClock } from '@sluice/testing';
import { fixedRing, KeyRing } from './key-ring.ts';
import { generatePrivateJwk, KEY_ALGORITHMS, publicKey, signingKey } from './token-key.ts';

const ALL = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;
/** RFC 7518, 6.2.2, 6.3.2, 6.4.1 and RFC 8037: private, or secret. */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const jwks = new Map<string, JWK>();
beforeAll(async () => {
  for (const alg of ALL) {
    const pair = await generateKeyPair(alg, { extractable: true });
    jwks.set(alg, { ...(await exportJWK(pair.privateKey)), alg });
  }
});

function jwkOf(alg: string): JWK {
  const jwk = jwks.get(alg);
  if (jwk === undefined) throw new Error(`no key for ${alg}`);
  return jwk;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

describe('what is published', () => {
  const member = fc.oneof(fc.constantFrom(...PRIVATE, 'x5c', 'key_ops', 'ext'), fc.string());

  it('has no private member, whatever the key file has', async () => {
    const someKey = fc.constantFrom(...ALL);
    const extra = fc.dictionary(member, fc.string(), { maxKeys: 8 });
    await fc.assert(
      fc.asyncProperty(someKey, extra, async (alg, added) => {
        // What belongs to the key stays, so that it works.
        const jwk = { ...added, ...jwkOf(alg) };
        if (typeof jwk.kid === 'string' && jwk.kid === '') delete jwk.kid;
        const ring = new KeyRing([await signingKey(jwk, 0)], [await publicKey(jwk)]);
        const [route] = jwksRoutes(fixedRing(ring), new FakeClock());
        const response = await route?.handle(new Request('http://localhost/jwks'), {});
        const text = (await response?.text()) ?? '';
        const { keys } = JSON.parse(text) as { keys: Record<string, unknown>[] };
        expect(keys).toHaveLength(2);
        for (const key of keys) {
          expect(Object.keys(key).filter((name) => PRIVATE.includes(name))).toEqual([]);
          expect(Object.keys(key)).toEqual(
            expect.arrayContaining(['kty', 'kid', 'alg', 'use'].toSorted()),
          );
        }
        for (const name of PRIVATE) {
          const value = (jwkOf(alg) as unknown as Record<string, unknown>)[name];
          if (typeof value === 'string') expect(text).not.toContain(value);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('keys that are made', () => {
  for (const alg of KEY_ALGORITHMS) {
    it(`of ${alg} are usable and named by their content`, async () => {
      const jwk = await generatePrivateJwk(alg);
      const key = await signingKey(jwk, 5);
      expect(key).toMatchObject({ alg, kid: jwk.kid, signsFromMs: 5 });
      expect((await signingKey({ ...jwk, kid: undefined }, 0)).kid).toBe(jwk.kid);
    });
  }
});

describe('keys that are refused', () => {
  const table: readonly (readonly [string, () => unknown])[] = [
    ['a text', () => 'secret'],
    ['null', () => null],
    ['an empty object', () => ({})],
    ['a shared secret', () => ({ kty: 'oct', alg: 'HS256', k: 'c2VjcmV0' })],
    ['an unknown kind', () => ({ ...jwkOf('ES256'), kty: 'AKP' })],
    ['a prototype as kind', () => ({ ...jwkOf('ES256'), kty: '__proto__' })],
    ['without its private part', () => ({ ...jwkOf('ES256'), d: undefined })],
    ['of an algorithm of another kind', () => ({ ...jwkOf('ES256'), alg: 'RS256' })],
    ['of an algorithm that is not accepted', () => ({ ...jwkOf('RS256'), alg: 'PS256' })],
    ['of a curve that is not supported', () => ({ ...jwkOf('ES256'), crv: 'secp256k1' })],
    ['a private part of another key', () => ({ ...jwkOf('EdDSA'), d: jwkOf('ES256').d })],
    ['a public part of another key', () => ({ ...jwkOf('RS256'), n: jwkOf('RS384').n })],
    ['numbers as members', () => ({ kty: 'EC', crv: 'P-256', x: 1, y: 2, d: 3 })],
    ['a kid that is not a text', () => ({ ...jwkOf('ES256'), kid: 7 })],
  ];
  for (const [title, jwk] of table) {
    it(title, async () => {
      expect(await codeOf(signingKey(jwk(), 0))).toBe('TOKENS_KEYS_INVALID');
    });
  }

  it('and what is said about them does not quote them', async () => {
    const jwk = { ...jwkOf('EdDSA'), d: 'VERY-SECRET-AND-WRONG' };
    const error = await signingKey(jwk, 0).catch((thrown: unknown) => thrown as AppError);
    expect(error).toBeInstanceOf(AppError);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('VERY-SECRET');
  });
});
