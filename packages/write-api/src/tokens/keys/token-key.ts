import { jsonWebKeyProblem, type PublicOrSharedKey } from '@sluice/auth';
import { AppError, assert, isJsonObject, must, type JsonObject } from '@sluice/base';
import {
  calculateJwkThumbprint,
  compactVerify,
  CompactSign,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
  type JWK,
} from 'jose';
import type { Scheduled } from './key-schedule.ts';

/** What `sluice keys` makes; every other asymmetric algorithm of spec/protocol.md 7.1 is taken too. */
export const KEY_ALGORITHMS = ['ES256', 'RS256', 'EdDSA'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** A key whose tokens are accepted. */
export interface PublicKey {
  readonly kid: string;
  readonly alg: string;
  /** What is published: nothing but members that are public by RFC 7518. */
  readonly publicJwk: PublicOrSharedKey;
}

export interface SigningKey extends PublicKey, Scheduled {
  readonly privateKey: CryptoKey;
}

interface KeyKind {
  /** What is not here never leaves the process (RFC 7518, 6; RFC 8037, 2). */
  readonly publicMembers: readonly string[];
  readonly privateMembers: readonly string[];
}

const KINDS = new Map<unknown, KeyKind>([
  ['RSA', { publicMembers: ['n', 'e'], privateMembers: ['d', 'p', 'q', 'dp', 'dq', 'qi'] }],
  ['EC', { publicMembers: ['crv', 'x', 'y'], privateMembers: ['d'] }],
  ['OKP', { publicMembers: ['crv', 'x'], privateMembers: ['d'] }],
]);
const CURVE_ALGORITHMS = new Map<unknown, string>([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
  ['Ed25519', 'EdDSA'],
]);

/** A fresh private key as a JWK with `kid` (its RFC 7638 thumbprint), `alg` and `use`. */
export async function generatePrivateJwk(alg: KeyAlgorithm): Promise<JWK> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(pair.privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' };
}

/**
 * The key of a private JWK. Whether its parts belong together is tried out with a signature.
 *
 * @throws AppError `TOKENS_KEYS_INVALID`; the message does not quote the key.
 */
export async function signingKey(jwk: unknown, signsFromMs: number): Promise<SigningKey> {
  const key = await publicKey(jwk);
  if (!isJsonObject(jwk) || jwk['d'] === undefined) throw invalidKeys('lacks its private part (d)');
  const { alg } = key;
  try {
    const privateKey = await importPrivate(jwk, key.publicJwk as NamedJwk);
    const probe = await new CompactSign(PROBE).setProtectedHeader({ alg }).sign(privateKey);
    await compactVerify(probe, key.publicJwk as JWK, { algorithms: [alg] });
    return { ...key, privateKey, signsFromMs };
  } catch (cause) {
    throw unusable(alg, cause);
  }
}

/**
 * The key of a JWK, of which only what is public is looked at.
 *
 * @throws AppError `TOKENS_KEYS_INVALID`.
 */
export async function publicKey(jwk: unknown): Promise<PublicKey> {
  if (!isJsonObject(jwk)) throw invalidKeys('is not a JSON Web Key');
  const publicJwk = await publicPart(jwk);
  const { alg, kid } = publicJwk;
  try {
    await importJWK(publicJwk as JWK, alg);
  } catch (cause) {
    throw unusable(alg, cause);
  }
  return { kid, alg, publicJwk };
}

/** The cause may quote the key, so it is not passed on. */
function unusable(alg: string, cause: unknown): AppError {
  const detail = cause instanceof Error ? cause.name : 'it was refused';
  return invalidKeys(`cannot be used with ${alg} (${detail})`);
}

export function invalidKeys(problem: string): AppError {
  return new AppError('TOKENS_KEYS_INVALID', `A key that signs tokens ${problem}`);
}

const PROBE = new TextEncoder().encode('sluice');

/** Members beside the key itself, such as `key_ops` of its public half, could forbid to sign. */
async function importPrivate(jwk: JsonObject, publicJwk: NamedJwk): Promise<CryptoKey> {
  const names = must(KINDS.get(publicJwk.kty)).privateMembers;
  const material = {
    ...pick(publicJwk, ['kty', ...publicNames(publicJwk.kty)]),
    ...pick(jwk, names),
  };
  const key = await importJWK(material as unknown as JWK, publicJwk.alg);
  assert(!(key instanceof Uint8Array), 'the key is not a shared secret');
  return key;
}

type NamedJwk = PublicOrSharedKey & { readonly kid: string; readonly alg: string };

async function publicPart(jwk: JsonObject): Promise<NamedJwk> {
  const { kty } = jwk;
  if (kty === 'oct') throw invalidKeys('is a shared secret, which cannot be published');
  if (!KINDS.has(kty)) throw invalidKeys('has a kty other than RSA, EC and OKP');
  const alg = jwk['alg'] ?? (kty === 'RSA' ? 'RS256' : CURVE_ALGORITHMS.get(jwk['crv']));
  if (typeof alg !== 'string') throw invalidKeys('has a curve that is not supported');
  const members = { kty, ...pick(jwk, publicNames(kty)) };
  const problem = jsonWebKeyProblem({ kid: '', ...members, alg });
  if (problem) throw invalidKeys(`has a wrong ${problem.member}: it ${problem.message}`);
  const kid = await keyId(jwk, members as unknown as JWK);
  return { ...members, kid, alg, use: 'sig' } as NamedJwk;
}

async function keyId({ kid }: JsonObject, members: JWK): Promise<string> {
  if (typeof kid === 'string' && kid !== '') return kid;
  if (kid !== undefined) throw invalidKeys('has a kid that is not a text');
  try {
    return await calculateJwkThumbprint(members);
  } catch {
    throw invalidKeys('has members of a wrong type');
  }
}

function publicNames(kty: unknown): readonly string[] {
  return must(KINDS.get(kty)).publicMembers;
}

function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, from[name]] as const));
}
