import { joinSmall } from './join-small.ts';

/** Turns the bytes of a stream into the bytes on the wire. */
export interface StreamEncoder {
  /** What goes in front of everything. */
  readonly head: Uint8Array | undefined;
  /** Everything handed in comes out whole: nothing is held back for the next call. */
  encode(parts: readonly Uint8Array[]): Promise<readonly Uint8Array[]>;
  /** The proper end; left out when the stream is cut. */
  tail(): Uint8Array | undefined;
}

export function identityEncoder(): StreamEncoder {
  return {
    head: undefined,
    encode: (parts) => Promise.resolve(joinSmall(parts)),
    tail: () => undefined,
  };
}
