import { AppError, isJsonObject, type JsonValue } from '@sluice/base';
import { KeyRing } from './key-ring.ts';
import { publicKey, signingKey, type PublicKey } from './token-key.ts';

/** A key pair as base64 of JWK texts, which is how reference backends take it (spec/client.md 6.4). */
export interface EnvironmentKeys {
  readonly privateKey: string;
  /** A JWK or a key set; what of it is not the private key's is accepted too, not used to sign. */
  readonly publicKey: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** In this order; the names of reference backends come after ours. */
const PREFIXES = ['SLUICE_', 'POWERSYNC_', ''] as const;

/** The keys that the environment has; undefined where it names none. */
export function environmentKeys(env: Environment): EnvironmentKeys | undefined {
  for (const prefix of PREFIXES) {
    const privateKey = env[`${prefix}PRIVATE_KEY`];
    // Variables of these common names may be about something else, e.g. a PEM for TLS.
    if (privateKey === undefined || decodeJson(privateKey) === undefined) continue;
    return { privateKey, publicKey: env[`${prefix}PUBLIC_KEY`] };
  }
  return undefined;
}

/** @throws AppError `TOKENS_KEYS_INVALID`. */
export async function environmentRing(keys: EnvironmentKeys): Promise<KeyRing> {
  const published = keys.publicKey === undefined ? [] : publicJwks(keys.publicKey);
  const privateJwk = decodeJson(keys.privateKey);
  const named = await withNameOf(privateJwk, published);
  const signing = await signingKey(named, 0);
  const others = await Promise.all(published.map((jwk) => publicKey(jwk)));
  return new KeyRing(
    [signing],
    others.filter(({ kid }) => kid !== signing.kid),
  );
}

/** Lines for an `.env` file. */
export function environmentLines(privateJwk: Readonly<Record<string, unknown>>): Promise<string> {
  return publicKey(privateJwk).then(({ publicJwk }) =>
    [
      `SLUICE_PRIVATE_KEY=${encodeJson(privateJwk)}`,
      `SLUICE_PUBLIC_KEY=${encodeJson(publicJwk)}`,
      '',
    ].join('\n'),
  );
}

/** A private key without a name has that of the only public one, if that belongs to it. */
async function withNameOf(
  privateJwk: JsonValue | undefined,
  published: readonly JsonValue[],
): Promise<JsonValue | undefined> {
  const [only, ...more] = published;
  if (!isJsonObject(privateJwk) || privateJwk['kid'] !== undefined) return privateJwk;
  if (!isJsonObject(only) || more.length > 0 || typeof only['kid'] !== 'string') return privateJwk;
  const named = { ...privateJwk, kid: only['kid'] };
  const [ofPrivate, ofPublic] = [await publicKey(named), await publicKey(only)];
  return isSameKey(ofPrivate, ofPublic) ? named : privateJwk;
}

function isSameKey({ publicJwk: a }: PublicKey, { publicJwk: b }: PublicKey): boolean {
  return ['kty', 'n', 'e', 'crv', 'x', 'y'].every((name) => a[name] === b[name]);
}

function publicJwks(base64: string): readonly JsonValue[] {
  const value = decodeJson(base64);
  const keys = isJsonObject(value) && value['kty'] === undefined ? value['keys'] : [value];
  if (Array.isArray(keys) && isJsonObject(value)) return keys as readonly JsonValue[];
  throw new AppError('TOKENS_KEYS_INVALID', 'PUBLIC_KEY is neither a JWK nor a key set in base64');
}

function decodeJson(base64: string): JsonValue | undefined {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function encodeJson(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}
