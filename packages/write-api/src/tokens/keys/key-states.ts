import { endsAtMs, inOrder, signerAt } from './key-schedule.ts';
import type { StoredKey } from './key-file-format.ts';

/** What a key of the file does at present, for people. */
export interface KeyState {
  readonly kid: string;
  readonly alg: string;
  readonly createdAtMs: number;
  readonly signsFromMs: number;
  /** When its last token has ended; Infinity while no other key follows. */
  readonly endsAtMs: number;
  /** `next` is published and waits for its time; `old` is accepted; `ended` can be dropped. */
  readonly state: 'signs' | 'next' | 'old' | 'ended';
}

/** In the order in which they sign. */
export function keyStates(keys: readonly StoredKey[], nowMs: number): readonly KeyState[] {
  const ordered = inOrder(keys);
  const signer = signerAt(ordered, nowMs);
  return ordered.map((key, index) => {
    const { createdAtMs, signsFromMs, jwk } = key;
    const ends = endsAtMs(ordered, index);
    const waits = signsFromMs > nowMs ? 'next' : 'old';
    const state = key === signer ? 'signs' : ends <= nowMs ? 'ended' : waits;
    const { kid = '', alg = '' } = jwk;
    return { kid, alg, createdAtMs, signsFromMs, endsAtMs: ends, state };
  });
}
