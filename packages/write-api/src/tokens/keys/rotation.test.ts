import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RemoteKeys, verifyToken, type KeySource } from '@sluice/auth';
import { AppError, must, silentLogger, type Logger } from '@sluice/base';
import { FakeClock } from '@sluice/testing';
import { jwksRoutes } from '../jwks-routes.ts';
import { TokenIssuer } from '../token-issuer.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';
import { ringKeySource } from './key-ring.ts';
import { LiveKeyFile } from './live-key-file.ts';
import { newStoredKey, PUBLISHED_BEFORE_SIGNING_SECONDS, rotateKeys } from './rotate-keys.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const AUDIENCE = ['app'];

let dir: string;
let file: string;
let clock: FakeClock;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-rotation-'));
  file = path.join(dir, 'keys.json');
  clock = new FakeClock();
  const nowMs = clock.now();
  await writeKeyFile(file, [await newStoredKey({ alg: 'EdDSA', nowMs, signsFromMs: nowMs })]);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function rotate(retire = false): Promise<void> {
  const nowMs = clock.now();
  const signsFromMs = nowMs + PUBLISHED_BEFORE_SIGNING_SECONDS * SECOND;
  const { keys } = await readKeyFile(file);
  await writeKeyFile(file, await rotateKeys(keys, { alg: 'EdDSA', nowMs, signsFromMs, retire }));
}

/** A process that issues and accepts, and somebody elsewhere who accepts by the published keys. */
async function openService(logger: Logger = silentLogger, lifetimeSeconds = 86_400) {
  const rings = await LiveKeyFile.open(file, { clock, logger });
  const issuer = new TokenIssuer({ rings, lifetimeSeconds, audience: AUDIENCE, clock });
  const [jwks] = jwksRoutes(rings, clock);
  const fetchJson = async () =>
    (await must(jwks).handle(new Request('http://localhost/jwks'), {})).json();
  const remote = new RemoteKeys({ url: 'http://x/jwks', fetchJson, clock, logger: silentLogger });
  return {
    issue: async () => (await issuer.issue({ userId: 'ann', claims: {} })).token,
    here: ringKeySource(rings, { audience: AUDIENCE, now: () => clock.now() }),
    elsewhere: remote,
    rings,
  };
}

async function outcome(token: string, keys: KeySource): Promise<string> {
  try {
    await verifyToken(token, { keys, audience: AUDIENCE, clock });
    return 'ok';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

const kidOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string })
    .kid;

const ROTATED_AT = [60, 20 * 60];
/** Minutes from one look to the next: closely where keys change. */
function step(minute: number): number {
  return ROTATED_AT.some((at) => minute >= at - 10 && minute < at + 30) ? 2 : 10;
}

it('tokens from before, during and after a rotation are accepted, here and elsewhere', async () => {
  const service = await openService();
  const other = await openService();
  const tokens: { token: string; endsAtMs: number }[] = [];
  const kids = new Set<string>();
  for (let minute = 0; minute < 30 * 60;) {
    if (ROTATED_AT.includes(minute)) await rotate();
    const token = await service.issue();
    kids.add(kidOf(token));
    tokens.push({ token, endsAtMs: clock.now() + 86_400 * SECOND });
    const live = tokens.filter(({ endsAtMs }) => clock.now() < endsAtMs);
    const checked = new Set([
      token,
      live[0]?.token ?? token,
      live[live.length >> 1]?.token ?? token,
    ]);
    for (const one of checked) {
      expect(await outcome(one, service.here), `minute ${minute}`).toBe('ok');
      expect(await outcome(one, other.here), `minute ${minute}, another process`).toBe('ok');
      expect(await outcome(one, other.elsewhere), `minute ${minute}, elsewhere`).toBe('ok');
    }
    await clock.advance(step(minute) * 60 * SECOND);
    minute += step(minute);
  }
  expect(kids.size).toBe(3);
});

it('a new key is published for as long as others may cache, and only then signs', async () => {
  const service = await openService();
  const older = kidOf(await service.issue());
  await rotate();
  await clock.advance(2 * SECOND);
  const published = (await service.rings.current()).accepted(clock.now()).map(({ kid }) => kid);
  expect(published).toHaveLength(2);
  expect(kidOf(await service.issue())).toBe(older);
  await clock.advance((PUBLISHED_BEFORE_SIGNING_SECONDS - 3) * SECOND);
  expect(kidOf(await service.issue())).toBe(older);
  await clock.advance(SECOND);
  expect(kidOf(await service.issue())).toBe(published[1]);
});

it('a key is given up once its last token has ended, and then leaves the file', async () => {
  const service = await openService();
  const first = kidOf(await service.issue());
  await rotate();
  await clock.advance(PUBLISHED_BEFORE_SIGNING_SECONDS * SECOND + 24 * HOUR + 59 * SECOND);
  const kids = async () =>
    (await service.rings.current()).accepted(clock.now()).map(({ kid }) => kid);
  expect(await kids()).toContain(first);
  await clock.advance(SECOND);
  expect(await kids()).not.toContain(first);
  await rotate();
  expect((await readKeyFile(file)).keys.map(({ jwk }) => jwk.kid)).not.toContain(first);
});

it('retired keys are refused at once, and the new one signs at once', async () => {
  const service = await openService();
  const before = await service.issue();
  expect(await outcome(before, service.here)).toBe('ok');
  await rotate(true);
  await clock.advance(SECOND);
  expect(await outcome(before, service.here)).toBe('SYNC_TOKEN_INVALID');
  const after = await service.issue();
  expect(kidOf(after)).not.toBe(kidOf(before));
  expect(await outcome(after, service.here)).toBe('ok');
});

it('a file that breaks while the service runs is logged once, and the keys before it stay', async () => {
  const logged: string[] = [];
  const log = (event: string, facts: object = {}) =>
    logged.push(`${event} ${'code' in facts ? String(facts.code) : ''}`.trim());
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const service = await openService(logger);
  const kept = await readKeyFile(file);
  const breakages = [
    () => writeFile(file, 'nonsense', { mode: 0o600 }),
    () => chmod(file, 0o644),
    () => rm(file),
  ];
  for (const damage of breakages) {
    await damage();
    for (let second = 0; second < 3; second++) {
      await clock.advance(SECOND);
      expect(await outcome(await service.issue(), service.here)).toBe('ok');
    }
  }
  await writeKeyFile(file, kept.keys);
  await clock.advance(SECOND);
  await service.issue();
  expect(logged).toEqual([
    'token_keys_unusable TOKENS_KEYS_INVALID',
    'token_keys_unusable TOKENS_KEYS_EXPOSED',
    'token_keys_unusable TOKENS_KEYS_MISSING',
    'token_keys_changed',
  ]);
});

it('on a clock that is behind, the oldest key signs', async () => {
  const nowMs = clock.now();
  const ahead = await newStoredKey({ alg: 'EdDSA', nowMs, signsFromMs: nowMs + HOUR });
  await writeKeyFile(file, [ahead]);
  const service = await openService();
  expect(kidOf(await service.issue())).toBe(ahead.jwk.kid);
});
