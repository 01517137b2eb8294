import { acceptedAt, inOrder } from './key-schedule.ts';
import type { StoredKey } from './key-file-format.ts';
import { generatePrivateJwk, type KeyAlgorithm } from './token-key.ts';

/** Those who cache the key set do so for five minutes (`jwks-routes.ts`, and `RemoteKeys` of @sluice/auth). */
export const PUBLISHED_BEFORE_SIGNING_SECONDS = 600;

export interface NewKeyOptions {
  readonly alg: KeyAlgorithm;
  readonly nowMs: number;
  readonly signsFromMs: number;
}

export async function newStoredKey(options: NewKeyOptions): Promise<StoredKey> {
  const { alg, nowMs, signsFromMs } = options;
  return { createdAtMs: nowMs, signsFromMs, jwk: await generatePrivateJwk(alg) };
}

/**
 * The keys with a new one. Those whose tokens have all ended are dropped; with `retire` all older
 * ones are, so that their tokens are refused from now on, and the new one signs at once.
 */
export async function rotateKeys(
  keys: readonly StoredKey[],
  options: NewKeyOptions & { readonly retire: boolean },
): Promise<readonly StoredKey[]> {
  const { nowMs, retire } = options;
  const signsFromMs = retire ? nowMs : options.signsFromMs;
  const fresh = await newStoredKey({ ...options, signsFromMs });
  const kept = retire ? [] : acceptedAt(inOrder(keys), nowMs);
  return [...kept, fresh];
}
