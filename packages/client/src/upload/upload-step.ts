import { MAX_OP, type WriteGateState } from '../crud/write-gate.ts';

/** What a round of uploads does next (spec/client.md 3.3). */
export type UploadStep =
  /** Lets the app upload; `oldest` is the entry at the head of the queue. */
  | { readonly kind: 'upload'; readonly oldest: number }
  /** The app was asked and completed nothing. */
  | { readonly kind: 'stuck' }
  /** Asks for the write checkpoint that stands for everything uploaded; it is noted if the queue's sequence is still this one. */
  | { readonly kind: 'checkpoint'; readonly sequence: number }
  /** The write checkpoint has not come for a while: asks for the same once more. */
  | { readonly kind: 'repeat'; readonly checkpoint: bigint }
  | { readonly kind: 'rest' };

export interface UploadFacts {
  readonly gate: WriteGateState;
  /** The queue's oldest entry. */
  readonly oldest: number | undefined;
  /** The oldest entry when the app was asked before in this round. */
  readonly previous: number | undefined;
  /** Whether an unmet write checkpoint is to be asked for again. */
  readonly mayRepeat: boolean;
}

export function nextUploadStep({ gate, oldest, previous, mayRepeat }: UploadFacts): UploadStep {
  if (oldest !== undefined) {
    return oldest === previous ? { kind: 'stuck' } : { kind: 'upload', oldest };
  }
  if (gate.target === MAX_OP) return { kind: 'checkpoint', sequence: gate.sequence };
  const isUnmet = gate.target !== undefined && gate.target > (gate.seen ?? 0n);
  if (isUnmet && mayRepeat && gate.target !== undefined) {
    return { kind: 'repeat', checkpoint: gate.target };
  }
  return { kind: 'rest' };
}
