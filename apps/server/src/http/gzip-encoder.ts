import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib';
import { joinSmall } from './join-small.ts';
import { SharedRuns } from './shared-runs.ts';
import type { StreamEncoder } from './stream-encoder.ts';

/**
 * gzip as a row of independent deflate runs (design D3): a connection keeps no compressor, so idle
 * ones cost nothing, and a part that goes to many connections is compressed once.
 */
export function gzipEncoder(): StreamEncoder {
  let checksum = 0;
  let bytes = 0;
  return {
    head: GZIP_HEAD,
    async encode(parts) {
      const joined = joinSmall(parts);
      for (const part of joined) {
        checksum = crc32(part, checksum);
        bytes = (bytes + part.byteLength) % 2 ** 32;
      }
      return Promise.all(joined.map((part) => deflateRuns.of(part)));
    },
    tail() {
      const tail = Buffer.alloc(10);
      tail.writeUInt16LE(EMPTY_FINAL_BLOCK, 0);
      tail.writeUInt32LE(checksum, 2);
      tail.writeUInt32LE(bytes, 6);
      return tail;
    },
  };
}

/** Deflate, no flags, no time, "fastest", unknown system. */
const GZIP_HEAD = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255);
const EMPTY_FINAL_BLOCK = 0x0003;
const RUN_OPTIONS = { level: 1, finishFlush: constants.Z_SYNC_FLUSH } as const;
const deflateRawBeside = promisify<Uint8Array, object, Buffer>(deflateRaw);

/** Raw deflate that begins with an empty window, ends at a byte, and has no final block. */
const deflateRuns = new SharedRuns({
  compressSync: (part) => deflateRawSync(part, RUN_OPTIONS),
  compress: (part) => deflateRawBeside(part, RUN_OPTIONS),
});
