import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { AppError, type Clock } from '@sluice/base';
import type { PublicOrSharedKey } from './json-web-key.ts';
import { staticKeys, type VerificationKey } from './key-set.ts';
import { verifyToken } from './verify-token.ts';

/** spec/protocol.md 11.8 */
const SPEC_KEY: PublicOrSharedKey = {
  kty: 'oct',
  alg: 'HS256',
  kid: 'k1',
  k: 'c3BlYy1zaGFyZWQtc2VjcmV0',
};
const SPEC_TOKEN =
  'eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJ1MSIsImF1ZCI6InBvd2Vyc3luYy1kZXYiLCJpYXQiOjE3NjcyMjU2MDAsImV4cCI6MTc2NzIyOTIwMH0.MTvrra-dloXb1UwtxDuxiemrWd1e42lNCCy8kXev7Ck';
const ISSUED = 1767225600;
const EXPIRES = 1767229200;

function clockAt(seconds: number): Clock {
  return { now: () => seconds * 1000, sleep: () => Promise.resolve() };
}

/** The claims, or the code of the refusal. */
async function check(
  token: string,
  keys: readonly VerificationKey[],
  options: { readonly now?: number; readonly audience?: readonly string[] } = {},
): Promise<unknown> {
  const { now = ISSUED, audience = ['powersync-dev'] } = options;
  try {
    const verified = await verifyToken(token, {
      keys: staticKeys(keys),
      audience,
      clock: clockAt(now),
    });
    return verified.claims;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

const SECRET = Buffer.from('another-secret-of-enough-length!');
const HS_KEY: PublicOrSharedKey = { kty: 'oct', alg: 'HS256', k: SECRET.toString('base64url') };
const VALID = { sub: 'u1', aud: 'powersync-dev', iat: ISSUED, exp: EXPIRES };

function hs256(payload: object, header: object = {}): Promise<string> {
  return new SignJWT(payload as JWTPayload)
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(SECRET);
}

describe('the vector of the specification', () => {
  const keys = [{ jwk: SPEC_KEY }];
  const table: readonly (readonly [number, string | object])[] = [
    [ISSUED, { sub: 'u1', aud: 'powersync-dev', iat: ISSUED, exp: EXPIRES }],
    [EXPIRES, { sub: 'u1', aud: 'powersync-dev', iat: ISSUED, exp: EXPIRES }],
    [EXPIRES + 59, { sub: 'u1', aud: 'powersync-dev', iat: ISSUED, exp: EXPIRES }],
    [EXPIRES + 60, 'SYNC_TOKEN_EXPIRED'],
  ];
  for (const [now, expected] of table) {
    it(`at exp ${now - EXPIRES} s`, async () =>
      expect(await check(SPEC_TOKEN, keys, { now })).toEqual(expected));
  }
});

describe('claims', () => {
  const table: readonly (readonly [string, object, string])[] = [
    ['sub is required', { ...VALID, sub: undefined }, 'SYNC_TOKEN_INVALID'],
    ['iat is required', { ...VALID, iat: undefined }, 'SYNC_TOKEN_INVALID'],
    ['exp is required', { ...VALID, exp: undefined }, 'SYNC_TOKEN_INVALID'],
    ['exp is a number', { ...VALID, exp: 'soon' }, 'SYNC_TOKEN_INVALID'],
    ['aud is required', { ...VALID, aud: undefined }, 'SYNC_TOKEN_AUDIENCE'],
    ['aud is one that is accepted', { ...VALID, aud: ['a', 'b'] }, 'SYNC_TOKEN_AUDIENCE'],
    ['nbf has 60 s of leeway', { ...VALID, nbf: ISSUED + 61 }, 'SYNC_TOKEN_INVALID'],
    ['a day is the longest life', { ...VALID, exp: ISSUED + 86_401 }, 'SYNC_TOKEN_LIFETIME'],
    ['parameters are an object', { ...VALID, parameters: [] }, 'SYNC_TOKEN_INVALID'],
  ];
  for (const [title, payload, code] of table) {
    it(title, async () => expect(await check(await hs256(payload), [{ jwk: HS_KEY }])).toBe(code));
  }
  const accepted: readonly (readonly [string, object])[] = [
    ['sub of any type', { ...VALID, sub: null }],
    ['a list of audiences', { ...VALID, aud: ['x', 'powersync-dev'] }],
    ['nbf within the leeway', { ...VALID, nbf: ISSUED + 60 }],
    ['exactly a day', { ...VALID, exp: ISSUED + 86_400 }],
    ['parameters null', { ...VALID, parameters: null }],
  ];
  for (const [title, payload] of accepted) {
    it(`accepts ${title}`, async () =>
      expect(await check(await hs256(payload), [{ jwk: HS_KEY }])).toEqual(payload));
  }
  it('an empty list of audiences accepts none', async () =>
    expect(await check(await hs256(VALID), [{ jwk: HS_KEY }], { audience: [] })).toBe(
      'SYNC_TOKEN_AUDIENCE',
    ));
  it('a key may bring its own audience and lifetime', async () => {
    const key = { jwk: HS_KEY, audience: ['authenticated'], maxLifetimeSeconds: 606_000 };
    const payload = { ...VALID, aud: 'authenticated', exp: ISSUED + 606_000 };
    expect(await check(await hs256(payload), [key])).toEqual(payload);
    expect(await check(await hs256(VALID), [key])).toBe('SYNC_TOKEN_AUDIENCE');
  });
  it('a malformed token is refused', async () => {
    for (const token of ['', 'a', 'a.b.c', '..', `${SPEC_TOKEN}x`, 'e30.e30.']) {
      expect(await check(token, [{ jwk: SPEC_KEY }])).toBe('SYNC_TOKEN_INVALID');
    }
  });
});

describe('choice of the key', () => {
  it('a named key is the only one tried', async () => {
    const keys = [{ jwk: { ...SPEC_KEY, kid: 'a' } }, { jwk: HS_KEY }];
    expect(await check(await hs256(VALID, { kid: 'a' }), keys)).toBe('SYNC_TOKEN_INVALID');
  });
  it('an unknown name falls back to keys without a name', async () => {
    const keys = [{ jwk: { ...HS_KEY, kid: 'a' } }, { jwk: { ...SPEC_KEY, kid: undefined } }];
    expect(await check(await hs256(VALID, { kid: 'b' }), keys)).toBe('SYNC_TOKEN_INVALID');
    const unnamed = [...keys, { jwk: HS_KEY }];
    expect(await check(await hs256(VALID, { kid: 'b' }), unnamed)).toEqual(VALID);
  });
  it('the algorithm of the key binds', async () => {
    const key = { ...HS_KEY, alg: 'HS512', kid: 'a' };
    expect(await check(await hs256(VALID, { kid: 'a' }), [{ jwk: key }])).toBe(
      'SYNC_TOKEN_INVALID',
    );
  });
  it('a public key is never taken for a shared secret', async () => {
    const pair = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'r' } as PublicOrSharedKey;
    const forged = await new SignJWT(VALID)
      .setProtectedHeader({ alg: 'HS256', kid: 'r' })
      .sign(Buffer.from(JSON.stringify(jwk)));
    expect(await check(forged, [{ jwk }])).toBe('SYNC_TOKEN_INVALID');
  });
  it('none and PS256 are refused', async () => {
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`;
    expect(await check(none, [{ jwk: HS_KEY }])).toBe('SYNC_TOKEN_INVALID');
    const pair = await generateKeyPair('PS256', { extractable: true });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'r' } as PublicOrSharedKey;
    const token = await new SignJWT(VALID)
      .setProtectedHeader({ alg: 'PS256', kid: 'r' })
      .sign(pair.privateKey);
    expect(await check(token, [{ jwk }])).toBe('SYNC_TOKEN_INVALID');
  });
});

describe('algorithms', () => {
  const asymmetric = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
  for (const alg of asymmetric) {
    it(`verifies ${alg}, with and without alg in the key`, async () => {
      const pair = await generateKeyPair(alg, { extractable: true });
      const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k' } as PublicOrSharedKey;
      const token = await new SignJWT(VALID)
        .setProtectedHeader({ alg, kid: 'k' })
        .sign(pair.privateKey);
      expect(await check(token, [{ jwk }])).toEqual(VALID);
      expect(await check(token, [{ jwk: { ...jwk, alg } }])).toEqual(VALID);
    });
  }
  for (const alg of ['HS384', 'HS512']) {
    it(`verifies ${alg}`, async () => {
      const secret = Buffer.alloc(64, 7);
      const jwk: PublicOrSharedKey = { kty: 'oct', alg, k: secret.toString('base64url') };
      const token = await new SignJWT(VALID).setProtectedHeader({ alg }).sign(secret);
      expect(await check(token, [{ jwk }])).toEqual(VALID);
    });
  }

  describe('Ed448', () => {
    let pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
    beforeAll(() => {
      pair = generateKeyPairSync('ed448');
    });
    it('is verified', async () => {
      const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const signed = `${encode({ alg: 'EdDSA', kid: 'k' })}.${encode(VALID)}`;
      const signature = sign(null, Buffer.from(signed), pair.privateKey).toString('base64url');
      const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k' } as PublicOrSharedKey;
      expect(await check(`${signed}.${signature}`, [{ jwk }])).toEqual(VALID);
      const other = sign(null, Buffer.from('x'), pair.privateKey).toString('base64url');
      expect(await check(`${signed}.${other}`, [{ jwk }])).toBe('SYNC_TOKEN_INVALID');
    });
  });
});
