/**
 * Keeps downloaded data unpublished while local writes are not acknowledged (spec/protocol.md 5.4,
 * spec/client.md 3.3, 3.5). Each call is one transaction on the writer's connection.
 */
export interface WriteGate {
  state(): WriteGateState;
  /**
   * Notes the write checkpoint that stands for everything uploaded, unless a local write came in
   * between: then the queue is not empty, or its sequence has moved on from `sequence`.
   * Returns whether it was noted.
   */
  settle(sequence: number, writeCheckpoint: bigint): boolean;
}

export interface WriteGateState {
  /** `MAX_OP` while the uploads have no write checkpoint yet; undefined for no gate. */
  readonly target: bigint | undefined;
  /** The highest write checkpoint that a checkpoint has carried since the last local write. */
  readonly seen: bigint | undefined;
  /** Entries that wait in the queue. */
  readonly pending: number;
  /** Queue ids given out so far. */
  readonly sequence: number;
}

/** Stands for a write checkpoint that is not known yet. */
export const MAX_OP = 9223372036854775807n;
