import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError, must, silentLogger } from '@sluice/base';
import { FakeClock } from '@sluice/testing';
import { oidcSignIn, type OidcOptions } from './oidc.ts';

const ISSUER = 'https://id.example.com/tenant';
const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;
const JWKS = 'https://keys.example.com/jwks';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let upstream: Pair;
let stranger: Pair;
let documents: Record<string, unknown>;
let fetched: string[];
let clock: FakeClock;

beforeAll(async () => {
  [upstream, stranger] = [await generateKeyPair('RS256'), await generateKeyPair('RS256')];
});
beforeEach(async () => {
  clock = new FakeClock();
  fetched = [];
  const key = { ...(await exportJWK(upstream.publicKey)), kid: 'up', use: 'sig' };
  documents = { [DISCOVERY]: { issuer: ISSUER, jwks_uri: JWKS }, [JWKS]: { keys: [key] } };
});

function newSignIn(options: Partial<OidcOptions> = {}) {
  return oidcSignIn({
    issuer: ISSUER,
    audience: ['my-client'],
    userClaim: 'sub',
    claims: ['email', 'groups'],
    fetchJson: async (url) => {
      fetched.push(url);
      const document = documents[url];
      if (document === undefined) throw new Error('the server answered with status 404');
      return document;
    },
    clock,
    logger: silentLogger,
    ...options,
  });
}

async function token(
  changes: JWTPayload = {},
  { pair = upstream, kid = 'up' }: { readonly pair?: Pair; readonly kid?: string } = {},
): Promise<string> {
  const iat = clock.now() / 1000;
  const payload = { iss: ISSUER, sub: 'u-1', aud: 'my-client', iat, exp: iat + 3600, ...changes };
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid }).sign(pair.privateKey);
}

type Sent = {
  readonly headers?: Record<string, string>;
  readonly parameters?: Record<string, string>;
};

async function outcome(sent: Sent, signIn = newSignIn()): Promise<unknown> {
  const { headers = {}, parameters = {} } = sent;
  const url = new URL('http://localhost/token');
  try {
    return await signIn({ url, headers: new Headers(headers), parameters });
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}
const bearer = (text: string): Sent => ({ headers: { authorization: `Bearer ${text}` } });

it('a token of the issuer is exchanged, wherever it comes', async () => {
  const given = await token({ email: 'ann@example.com', role: 'admin', groups: ['a'] });
  const user = { userId: 'u-1', claims: { email: 'ann@example.com', groups: ['a'] } };
  expect(await outcome(bearer(given))).toEqual(user);
  expect(await outcome({ parameters: { id_token: given } })).toEqual(user);
  expect(await outcome({ parameters: { access_token: given } })).toEqual(user);
});

describe('which tokens', () => {
  const table: readonly (readonly [string, JWTPayload, unknown])[] = [
    ['of a week', { exp: 1_800_000_000 + 7 * 86_400 }, { userId: 'u-1', claims: {} }],
    ['of several audiences', { aud: ['x', 'my-client'] }, { userId: 'u-1', claims: {} }],
    ['of another audience', { aud: 'other-client' }, 'TOKENS_SIGN_IN_REFUSED'],
    ['without audience', { aud: undefined }, 'TOKENS_SIGN_IN_REFUSED'],
    ['of another issuer', { iss: 'https://id.example.com' }, 'TOKENS_SIGN_IN_REFUSED'],
    ['without issuer', { iss: undefined }, 'TOKENS_SIGN_IN_REFUSED'],
    ['that has expired', { iat: 1_799_990_000, exp: 1_799_999_940 }, 'TOKENS_SIGN_IN_REFUSED'],
    ['without expiry', { exp: undefined }, 'TOKENS_SIGN_IN_REFUSED'],
    ['that is not valid yet', { nbf: 1_800_000_061 }, 'TOKENS_SIGN_IN_REFUSED'],
    ['without subject', { sub: undefined }, 'TOKENS_SIGN_IN_REFUSED'],
    ['of an empty subject', { sub: '' }, 'TOKENS_SIGN_IN_REFUSED'],
  ] as never;
  for (const [title, changes, expected] of table) {
    it(title, async () => expect(await outcome(bearer(await token(changes)))).toEqual(expected));
  }

  it('signed by somebody else', async () => {
    const forged = await token({}, { pair: stranger });
    expect(await outcome(bearer(forged))).toBe('TOKENS_SIGN_IN_REFUSED');
    const unknown = await token({}, { pair: stranger, kid: 'other' });
    expect(await outcome(bearer(unknown))).toBe('TOKENS_SIGN_IN_REFUSED');
  });

  it('malformed, or none', async () => {
    for (const text of ['x', 'a.b.c', '..']) {
      expect(await outcome(bearer(text))).toBe('TOKENS_SIGN_IN_REFUSED');
    }
    expect(await outcome({})).toBe('TOKENS_SIGN_IN_REFUSED');
    expect(fetched).toEqual([]);
  });

  it('another claim may be the user id', async () => {
    const signIn = newSignIn({ userClaim: 'email' });
    const named = bearer(await token({ email: 'ann@example.com' }));
    expect(await outcome(named, signIn)).toMatchObject({ userId: 'ann@example.com' });
    expect(await outcome(bearer(await token()), signIn)).toBe('TOKENS_SIGN_IN_REFUSED');
  });
});

describe('an issuer that cannot be asked', () => {
  const table: readonly (readonly [string, () => void])[] = [
    ['no discovery document', () => delete documents[DISCOVERY]],
    [
      'a document of another issuer',
      () => (documents[DISCOVERY] = { issuer: 'x', jwks_uri: JWKS }),
    ],
    ['a document without keys', () => (documents[DISCOVERY] = { issuer: ISSUER })],
    ['a document that is a list', () => (documents[DISCOVERY] = [])],
    ['no key set', () => delete documents[JWKS]],
    ['a key set without keys', () => (documents[JWKS] = {})],
  ];
  for (const [title, damage] of table) {
    it(title, async () => {
      damage();
      expect(await outcome(bearer(await token()))).toBe('TOKENS_SIGN_IN_UNAVAILABLE');
    });
  }
});

it('documents are fetched once for many tokens', async () => {
  const signIn = newSignIn();
  for (let i = 0; i < 5; i++) await outcome(bearer(await token({ sub: `u-${i}` })), signIn);
  expect(fetched).toEqual([DISCOVERY, must(JWKS)]);
});
