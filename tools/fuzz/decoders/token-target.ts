import { createHmac } from 'node:crypto';
import { SyncError } from '@sluice/base';
import { FakeClock } from '@sluice/testing';
import { staticKeys } from '../../../packages/auth/src/key-set.ts';
import { userKey } from '../../../apps/server/src/auth/user-key.ts';
import { verifyToken } from '../../../packages/auth/src/verify-token.ts';
import { jsonBombs } from './json-bombs.ts';
import { bytesOf, textOf, type DecoderTarget } from './target.ts';

/** spec/protocol.md 11.8 */
const SECRET = 'spec-shared-secret';
const HEADER = '{"alg":"HS256","kid":"k1"}';
const PAYLOAD = '{"sub":"u1","aud":"powersync-dev","iat":1767225600,"exp":1767229200}';
const KEY = { kty: 'oct', alg: 'HS256', kid: 'k1', k: base64url(SECRET) } as const;
const NOW_MS = 1_767_225_600_000;

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function signed(payload: string, header = HEADER): string {
  const content = `${base64url(header)}.${base64url(payload)}`;
  return `${content}.${createHmac('sha256', SECRET).update(content).digest('base64url')}`;
}

/** Rightly signed, so that what is behind the signature is damaged too. */
const CLAIM_BOMBS = ['sub', 'aud', 'parameters', 'iat', 'exp'].flatMap((claim) => {
  const bombs = jsonBombs((value) => signed(`{${PAYLOAD.slice(1, -1)},"${claim}":${value}}`));
  return Object.entries(bombs).map(([name, bytes]) => [`${claim}: ${name}`, bytes] as const);
});
const HEADER_BOMBS = Object.entries(
  jsonBombs((value) => signed(PAYLOAD, `{"alg":"HS256","kid":"k1","crit":${value}}`)),
).map(([name, bytes]) => [`header: ${name}`, bytes] as const);

const FORGED = {
  'no algorithm': `${base64url('{"alg":"none"}')}.${base64url(PAYLOAD)}.`,
  'no algorithm, with a key': `${base64url('{"alg":"none","kid":"k1"}')}.${base64url(PAYLOAD)}.`,
  'no signature': signed(PAYLOAD).replace(/[^.]*$/, ''),
  'many parts': '.'.repeat(100_000),
  'a payload that is not encoded': signed(PAYLOAD, '{"alg":"HS256","b64":false,"crit":["b64"]}'),
};

export const TOKEN: DecoderTarget = {
  name: 'JWT',
  samples: [signed(PAYLOAD), signed(PAYLOAD, '{"alg":"HS256","kid":"k1","typ":"JWT"}')].map(
    bytesOf,
  ),
  bombs: Object.fromEntries([
    ...CLAIM_BOMBS,
    ...HEADER_BOMBS,
    ...Object.entries(FORGED).map(([name, token]) => [name, bytesOf(token)] as const),
  ]),
  decode: async (bytes) => {
    const { claims } = await verifyToken(textOf(bytes), {
      keys: staticKeys([{ jwk: KEY }]),
      audience: ['powersync-dev'],
      clock: new FakeClock(NOW_MS),
    });
    return userKey(claims['sub'], undefined);
  },
  isRefusal: (error) => error instanceof SyncError,
};
