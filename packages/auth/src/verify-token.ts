import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { compactVerify, decodeProtectedHeader, errors } from 'jose';
import {
  isDeeperThan,
  isJsonObject,
  must,
  SyncError,
  type Clock,
  type JsonObject,
} from '@sluice/base';
import { ALGORITHMS, keyFitsAlgorithm } from './json-web-key.ts';
import type { KeySource, VerificationKey } from './key-set.ts';
import { preparedKey } from './prepared-key.ts';

export interface TokenVerifierOptions {
  readonly keys: KeySource;
  /** Accepted `aud` values; empty: none. */
  readonly audience: readonly string[];
  readonly clock: Clock;
}

export interface VerifiedToken {
  /** The whole payload; numbers are doubles. */
  readonly claims: JsonObject;
  /** In ms since 1970; up to 60 s ago. */
  readonly expiresAtMs: number;
}

/** Claims are compared, logged and looked into by functions that call themselves per level. */
const MAX_DEPTH = 100;
const LEEWAY_SECONDS = 60;
const MAX_LIFETIME_SECONDS = 86_400;

/**
 * Checks a user token (spec/protocol.md 7.1).
 *
 * @throws SyncError `SYNC_TOKEN_INVALID`, `SYNC_TOKEN_EXPIRED`, `SYNC_TOKEN_LIFETIME`,
 * `SYNC_TOKEN_AUDIENCE`, or `SYNC_KEYS_*` when keys are missing because of a failed fetch.
 */
export async function verifyToken(
  token: string,
  options: TokenVerifierOptions,
): Promise<VerifiedToken> {
  const header = readHeader(token);
  const { key, payload } = await findKey(token, header, options.keys);
  const claims = readPayload(payload);
  return checkClaims(claims, key, options);
}

interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
}

function readHeader(token: string): TokenHeader {
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(token);
  } catch (cause) {
    throw invalid('The token is not a JWT', cause);
  }
  const { alg, kid } = header;
  if (typeof alg !== 'string' || !(ALGORITHMS as readonly string[]).includes(alg)) {
    throw invalid(`The algorithm of the token is not accepted: ${String(alg).slice(0, 20)}`);
  }
  return { alg, kid: typeof kid === 'string' ? kid : undefined };
}

interface FoundKey {
  readonly key: VerificationKey;
  readonly payload: Uint8Array;
}

/** 7.1.2: the key of that name and no other, or else every key without a name that fits. */
async function findKey(token: string, header: TokenHeader, source: KeySource): Promise<FoundKey> {
  const { keys, error } = await source.lookup();
  const named = keys.filter(({ jwk }) => header.kid !== undefined && jwk.kid === header.kid);
  const candidates = named.length > 0 ? named.slice(0, 1) : keys.filter(({ jwk }) => !jwk.kid);
  for (const key of candidates) {
    if (!keyFitsAlgorithm(key.jwk, header.alg)) continue;
    const payload = await payloadIfSigned(token, key, header.alg);
    if (payload) return { key, payload };
  }
  if (named.length > 0) throw invalid(`The key ${header.kid} does not verify the token`);
  source.refreshSoon();
  if (error) throw error;
  throw invalid('No key verifies the token');
}

/** The payload when the signature holds; undefined when this key did not make it. */
async function payloadIfSigned(
  token: string,
  key: VerificationKey,
  algorithm: string,
): Promise<Uint8Array | undefined> {
  if (key.jwk['crv'] === 'Ed448') return payloadIfSignedEd448(token, key);
  try {
    const prepared = await preparedKey(key, algorithm);
    const verified = await compactVerify(token, prepared, { algorithms: [algorithm] });
    return verified.payload;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    // WebCrypto refuses malformed key material with a DOMException.
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

/** jose's EdDSA is Ed25519 only. */
function payloadIfSignedEd448(token: string, key: VerificationKey): Uint8Array | undefined {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const publicKey = createPublicKey({ key: key.jwk as unknown as JsonWebKey, format: 'jwk' });
  const isSigned = verify(
    null,
    Buffer.from(`${header}.${payload}`),
    publicKey,
    Buffer.from(signature, 'base64url'),
  );
  return isSigned ? Buffer.from(payload, 'base64url') : undefined;
}

function readPayload(payload: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (cause) {
    throw invalid('The payload of the token is not JSON', cause);
  }
  if (!isJsonObject(value)) throw invalid('The payload of the token is not a JSON object');
  if (isDeeperThan(value, MAX_DEPTH)) {
    throw invalid(`The payload of the token is nested deeper than ${MAX_DEPTH} levels`);
  }
  return value;
}

function checkClaims(
  claims: JsonObject,
  key: VerificationKey,
  options: TokenVerifierOptions,
): VerifiedToken {
  if (!Object.hasOwn(claims, 'sub')) throw invalid('The token has no sub claim');
  const issuedAt = must(readTime(claims, 'iat', true));
  const expiresAt = must(readTime(claims, 'exp', true));
  const notBefore = readTime(claims, 'nbf', false);
  const nowSeconds = options.clock.now() / 1000;
  if (nowSeconds >= expiresAt + LEEWAY_SECONDS) {
    throw new SyncError('SYNC_TOKEN_EXPIRED', 'The token has expired', {
      details: { expiredSecondsAgo: Math.floor(nowSeconds - expiresAt) },
    });
  }
  if (notBefore !== undefined && nowSeconds + LEEWAY_SECONDS < notBefore) {
    throw invalid('The token is not valid yet');
  }
  checkAudience(claims, key.audience ?? options.audience);
  checkLifetime(expiresAt - issuedAt, key.maxLifetimeSeconds ?? MAX_LIFETIME_SECONDS);
  const { parameters } = claims;
  if (parameters !== undefined && parameters !== null && !isJsonObject(parameters)) {
    throw invalid('The parameters claim of the token is not a JSON object');
  }
  return { claims, expiresAtMs: expiresAt * 1000 };
}

function readTime(claims: JsonObject, name: string, required: boolean): number | undefined {
  const value = claims[name];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value === undefined && !required) return undefined;
  throw invalid(
    value === undefined
      ? `The token has no ${name} claim`
      : `The ${name} claim of the token is not a number`,
  );
}

function checkAudience(claims: JsonObject, accepted: readonly string[]): void {
  const { aud } = claims;
  const given: readonly unknown[] = Array.isArray(aud) ? aud : aud === undefined ? [] : [aud];
  if (given.some((name) => typeof name === 'string' && accepted.includes(name))) return;
  const message =
    given.length === 0
      ? 'The token has no aud claim'
      : `The audience of the token is not accepted: ${given.map(String).join(', ').slice(0, 200)}`;
  throw new SyncError('SYNC_TOKEN_AUDIENCE', message, {
    remedy:
      accepted.length === 0
        ? 'List the audience of your tokens under client_auth.audience'
        : `Issue tokens with aud ${accepted.join(' or ')}`,
  });
}

function checkLifetime(seconds: number, maxSeconds: number): void {
  if (seconds <= maxSeconds) return;
  throw new SyncError(
    'SYNC_TOKEN_LIFETIME',
    `The token is valid for ${Math.round(seconds)} s, more than the ${maxSeconds} s allowed`,
  );
}

function invalid(message: string, cause?: unknown): SyncError {
  return new SyncError('SYNC_TOKEN_INVALID', message, { cause });
}
