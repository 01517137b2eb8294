/** When keys sign and until when they are accepted: times only, no cryptography. */
export interface Scheduled {
  /** From this time on it signs, until a later key does; ms since 1970. */
  readonly signsFromMs: number;
}

/** The longest that a token may live (spec/protocol.md 7.1.5), and the leeway of the verifier. */
const TOKENS_END_MS = (86_400 + 60) * 1000;

/** The key that signs first, first. */
export function inOrder<T extends Scheduled>(keys: readonly T[]): readonly T[] {
  return keys.toSorted((a, b) => a.signsFromMs - b.signsFromMs);
}

/** The newest whose time has come; on a clock that is behind, the oldest. Keys are in order. */
export function signerAt<T extends Scheduled>(keys: readonly T[], nowMs: number): T | undefined {
  return keys.findLast(({ signsFromMs }) => signsFromMs <= nowMs) ?? keys[0];
}

/**
 * The keys whose tokens are good, which are those to publish. Keys are in order.
 *
 * Tokens of a key that another has followed may be around for a day, so for so long it is accepted.
 * One whose time to sign is still to come is accepted already, so that whoever caches the published
 * keys has it when it signs.
 *
 *     key A  ──── signs ────────────────────┬── accepted, for the tokens that are around ──┤ 24 h
 *     key B                 ├── published ──┬── signs ─────────────────────────────────────
 *                    sluice keys rotate     its signs_from
 */
export function acceptedAt<T extends Scheduled>(keys: readonly T[], nowMs: number): readonly T[] {
  return keys.filter((_, index) => nowMs < endsAtMs(keys, index));
}

/** When the last token of a key has ended; Infinity as long as no other key follows. */
export function endsAtMs(keys: readonly Scheduled[], index: number): number {
  const next = keys[index + 1];
  return next === undefined ? Infinity : next.signsFromMs + TOKENS_END_MS;
}
