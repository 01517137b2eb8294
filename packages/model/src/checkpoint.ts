/**
 * Positive 63-bit number of an operation; on the wire always a decimal string.
 * One sequence for all generations of a storage; it never goes back.
 */
export type OpId = bigint;

/**
 * A place in the source's change log as text that compares with `<`, e.g. `00000000/016B3748`.
 * The empty string is before everything.
 */
export type SourcePosition = string;

/** A state of the source that clients may be shown. */
export interface Checkpoint {
  /** All operations up to and including this one belong to the state. */
  readonly opId: OpId;
  /** The state contains every source commit up to and including this position. */
  readonly position: SourcePosition;
}
