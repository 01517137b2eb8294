import { joinSmall } from './join-small.ts';
import { SharedRuns, type RunCompressor } from './shared-runs.ts';
import type { StreamEncoder } from './stream-encoder.ts';

/**
 * zstd as a row of frames, one for each part: a frame is complete in itself, and frames one after the other are
 * their contents one after the other (RFC 8878, 3). So a part that goes to many connections is compressed once,
 * and a connection has nothing of its own: all streams of a server have this one encoder.
 */
export function zstdEncoder(zstd: RunCompressor): StreamEncoder {
  const frames = new SharedRuns(zstd);
  return {
    head: undefined,
    encode: (parts) => Promise.all(joinSmall(parts).map((part) => frames.of(part))),
    tail: () => undefined,
  };
}
