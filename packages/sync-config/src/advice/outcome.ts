/**
 * What an expression may come to, now and under exact semantics, as pairs: `TN` is true now and NULL
 * then. T and F stand for values that count as true and as false.
 */
export type Truth = 'T' | 'F' | 'N';
export type Pair = `${Truth}${Truth}`;

export interface Outcomes {
  readonly pairs: ReadonlySet<Pair>;
  /** Values besides NULL may differ. */
  readonly differs: boolean;
}

/** `truth`: only whether it is true matters, as in WHERE; `value`: NULL is not the same as 0. */
export type Use = 'truth' | 'value';

export function now(pair: Pair): Truth {
  return pair.charAt(0) as Truth;
}

export function exact(pair: Pair): Truth {
  return pair.charAt(1) as Truth;
}

export function pairOf(a: Truth, b: Truth): Pair {
  return `${a}${b}`;
}

export function outcomes(pairs: Iterable<Pair>, differs = false): Outcomes {
  return { pairs: new Set(pairs), differs };
}

/** A value that is the same under both. */
export function sameValue(mayBeNull: boolean): Outcomes {
  return outcomes(mayBeNull ? ['TT', 'FF', 'NN'] : ['TT', 'FF']);
}

export function mayBeNull({ pairs }: Outcomes): boolean {
  return [...pairs].some((pair) => pair.includes('N'));
}

/** Whether the two semantics can be told apart. */
export function isDifferent({ pairs, differs }: Outcomes, use: Use): boolean {
  if (use === 'truth')
    return [...pairs].some((pair) => (now(pair) === 'T') !== (exact(pair) === 'T'));
  return differs || [...pairs].some((pair) => now(pair) !== exact(pair));
}

/** Every combination of what the operands may come to. */
export function combinations(operands: readonly Outcomes[]): readonly (readonly Pair[])[] {
  return operands.reduce<readonly (readonly Pair[])[]>(
    (all, { pairs }) => all.flatMap((before) => [...pairs].map((pair) => [...before, pair])),
    [[]],
  );
}
