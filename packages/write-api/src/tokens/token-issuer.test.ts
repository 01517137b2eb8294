import { beforeAll, describe, expect, it } from 'vitest';
import { verifyToken } from '@sluice/auth';
import { AppError, type JsonObject } from '@sluice/base';
import { FakeClock } from '@sluice/testing';
import { tokenAuthenticator } from './caller.ts';
import { fixedRing, KeyRing, ringKeySource, type KeyRings } from './keys/key-ring.ts';
import { generatePrivateJwk, signingKey } from './keys/token-key.ts';
import { TokenIssuer } from './token-issuer.ts';

const SECOND = 1000;
let rings: KeyRings;
let clock: FakeClock;
beforeAll(async () => {
  rings = fixedRing(new KeyRing([await signingKey(await generatePrivateJwk('ES256'), 0)]));
});

function newIssuer(lifetimeSeconds = 300, audience: readonly string[] = ['app']) {
  clock = new FakeClock(1_800_000_000_700);
  const keys = ringKeySource(rings, { audience, now: () => clock.now() });
  const issuer = new TokenIssuer({ rings, lifetimeSeconds, audience, clock });
  return { keys, issuer };
}

it('a token names its user, audience and key, and lives as long as configured', async () => {
  const { keys, issuer } = newIssuer(300, ['app']);
  const issued = await issuer.issue({ userId: 'ann', claims: { role: 'editor' } });
  const { claims, expiresAtMs } = await verifyToken(issued.token, { keys, audience: [], clock });
  const iat = 1_800_000_000;
  expect(claims).toEqual({ role: 'editor', sub: 'ann', aud: 'app', iat, exp: iat + 300 });
  expect(issued.expiresAtMs).toBe(expiresAtMs);
  const header: unknown = JSON.parse(
    Buffer.from(issued.token.split('.')[0] ?? '', 'base64url').toString(),
  );
  const { kid } = (await rings.current()).signer(0);
  expect(header).toEqual({ alg: 'ES256', kid, typ: 'JWT' });
});

it('several audiences are a list, and a token for any other is refused', async () => {
  const { keys, issuer } = newIssuer(300, ['app', 'https://sync.example.com']);
  const { token } = await issuer.issue({ userId: 'ann', claims: {} });
  const { claims } = await verifyToken(token, { keys, audience: [], clock });
  expect(claims['aud']).toEqual(['app', 'https://sync.example.com']);
  const others = ringKeySource(rings, { audience: ['other'], now: () => clock.now() });
  await expect(
    verifyToken(token, { keys: others, audience: ['app'], clock }),
  ).rejects.toMatchObject({ code: 'SYNC_TOKEN_AUDIENCE' });
});

for (const lifetimeSeconds of [30, 86_400]) {
  it(`a token of ${lifetimeSeconds} s ends then, save for the verifier's minute`, async () => {
    const { keys, issuer } = newIssuer(lifetimeSeconds);
    const { token } = await issuer.issue({ userId: 'ann', claims: {} });
    const authenticate = tokenAuthenticator({ keys, audience: [], clock });
    const request = new Request('http://localhost/', {
      headers: { authorization: `Token ${token}` },
    });
    await clock.advance((lifetimeSeconds + 59) * SECOND);
    expect(await authenticate(request)).toMatchObject({ userId: 'ann' });
    await clock.advance(SECOND);
    await expect(authenticate(request)).rejects.toMatchObject({ code: 'SYNC_TOKEN_EXPIRED' });
  });
}

describe('claims', () => {
  const deep = (levels: number): JsonObject => {
    let value: JsonObject = {};
    for (let i = 1; i < levels; i++) value = { value };
    return value;
  };
  const table: readonly (readonly [string, string, JsonObject, string])[] = [
    ['none', 'ann', {}, 'ok'],
    ['a user id with any letters', 'ann/ß "1"', {}, 'ok'],
    ['an empty user id', '', {}, 'TOKENS_CLAIMS_INVALID'],
    ['4 KiB', 'ann', { text: 'x'.repeat(4000) }, 'ok'],
    ['more than 4 KiB', 'ann', { text: 'x'.repeat(4096) }, 'TOKENS_CLAIMS_INVALID'],
    ['50 levels', 'ann', deep(50), 'ok'],
    ['51 levels', 'ann', deep(51), 'TOKENS_CLAIMS_INVALID'],
    ['parameters as an object', 'ann', { parameters: { a: 1 } }, 'ok'],
    ['parameters as null', 'ann', { parameters: null }, 'ok'],
    ['parameters as a list', 'ann', { parameters: [] }, 'TOKENS_CLAIMS_INVALID'],
  ];
  for (const [title, userId, claims, expected] of table) {
    it(`${title}: ${expected}`, async () => {
      const { keys, issuer } = newIssuer();
      const outcome = await issuer.issue({ userId, claims }).catch((error: unknown) => error);
      if (expected === 'ok') {
        const { token } = outcome as { token: string };
        const verified = await verifyToken(token, { keys, audience: [], clock });
        expect(verified.claims).toMatchObject({ ...claims, sub: userId });
      } else expect((outcome as AppError).code).toBe(expected);
    });
  }

  it('cannot say what is ours to say', async () => {
    const { keys, issuer } = newIssuer();
    const claims = { sub: 'root', aud: 'x', iat: 1, exp: 9e9, nbf: 9e9, iss: 'x', jti: 'x', a: 1 };
    const { token } = await issuer.issue({ userId: 'ann', claims });
    const verified = await verifyToken(token, { keys, audience: [], clock });
    expect(verified.claims).toMatchObject({ sub: 'ann', aud: 'app', a: 1 });
    expect(Object.keys(verified.claims).toSorted()).toEqual(['a', 'aud', 'exp', 'iat', 'sub']);
  });
});
