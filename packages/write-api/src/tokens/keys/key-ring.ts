import { staticKeys, type KeySource } from '@sluice/auth';
import { must } from '@sluice/base';
import { acceptedAt, inOrder, signerAt } from './key-schedule.ts';
import type { PublicKey, SigningKey } from './token-key.ts';

/** The keys of tokens as they are at present, ready for use. */
export class KeyRing {
  readonly #signing: readonly SigningKey[];
  readonly #others: readonly PublicKey[];

  /** At least one key that signs; `others` are only accepted, and published. */
  constructor(signing: readonly SigningKey[], others: readonly PublicKey[] = []) {
    this.#signing = inOrder(signing);
    this.#others = others;
  }

  signer(nowMs: number): SigningKey {
    return must(signerAt(this.#signing, nowMs), 'a key ring has a key that signs');
  }

  /** Those whose tokens are good, which are those that are published. */
  accepted(nowMs: number): readonly PublicKey[] {
    return [...acceptedAt(this.#signing, nowMs), ...this.#others];
  }
}

/** Where the present ring is; it changes when keys are rotated. */
export interface KeyRings {
  current(): Promise<KeyRing>;
}

export function fixedRing(ring: KeyRing): KeyRings {
  return { current: () => Promise.resolve(ring) };
}

/** The keys as those who verify tokens want them, with the audience that our tokens have. */
export function ringKeySource(
  rings: KeyRings,
  options: { readonly audience: readonly string[]; readonly now: () => number },
): KeySource {
  const { audience, now } = options;
  return {
    async lookup() {
      const accepted = (await rings.current()).accepted(now());
      return staticKeys(accepted.map(({ publicJwk: jwk }) => ({ jwk, audience }))).lookup();
    },
    // Every lookup looks whether the keys have changed.
    refreshSoon() {},
  };
}
