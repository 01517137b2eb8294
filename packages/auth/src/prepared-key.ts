import type { webcrypto } from 'node:crypto';
import type { JWK } from 'jose';
import type { VerificationKey } from './key-set.ts';

type PreparedKey = JWK | webcrypto.CryptoKey;

/** By the key's own object, which lives as long as the key is configured or cached. */
const prepared = new WeakMap<object, Map<string, Promise<PreparedKey>>>();

/**
 * A key in the form that costs least to verify with. Importing it for every token took longer than
 * verifying, which showed when thousands connect at once.
 */
export function preparedKey({ jwk }: VerificationKey, algorithm: string): Promise<PreparedKey> {
  const ofKey = prepared.get(jwk) ?? new Map<string, Promise<PreparedKey>>();
  prepared.set(jwk, ofKey);
  const known = ofKey.get(algorithm);
  if (known !== undefined) return known;
  const key = prepare(jwk as JWK, algorithm);
  ofKey.set(algorithm, key);
  return key;
}

/**
 * jose remembers the imports of JWK objects that it is given again, but not of shared secrets.
 * A secret with members that restrict its use is left to jose, which looks at them.
 */
async function prepare(jwk: JWK, algorithm: string): Promise<PreparedKey> {
  const isPlainSecret =
    jwk.kty === 'oct' && jwk.k !== undefined && jwk.use === undefined && jwk.key_ops === undefined;
  if (!isPlainSecret) return { ...jwk, alg: algorithm };
  const hash = { name: 'HMAC', hash: `SHA-${algorithm.slice(2)}` };
  const secret = Buffer.from(jwk.k ?? '', 'base64url');
  return crypto.subtle.importKey('raw', secret, hash, false, ['verify']);
}
