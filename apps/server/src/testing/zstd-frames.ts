import { buffer } from 'node:stream/consumers';
import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';
import type { RunCompressor } from '../http/shared-runs.ts';

/**
 * Makes zstd frames that only store their content (RFC 8878, 3.1.1): what does not depend on how well it is
 * compressed can be tested on runtimes without zstd, too.
 */
export const storingZstd: RunCompressor = {
  compressSync: storedFrame,
  compress: (part) => Promise.resolve(storedFrame(part)),
};

const MAGIC = 0xfd2fb528;
/** One segment, whose size is told in four bytes; no checksum, no dictionary. */
const DESCRIPTOR = 0xa0;
const HEAD_BYTES = 9;
const MAX_BLOCK_BYTES = 128 * 1024;

function storedFrame(content: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt8(DESCRIPTOR, 4);
  head.writeUInt32LE(content.byteLength, 5);
  const pieces: Uint8Array[] = [head];
  for (let at = 0; at === 0 || at < content.byteLength; at += MAX_BLOCK_BYTES) {
    const block = content.subarray(at, at + MAX_BLOCK_BYTES);
    const isLast = at + MAX_BLOCK_BYTES >= content.byteLength;
    const blockHead = Buffer.alloc(3);
    blockHead.writeUIntLE((block.byteLength << 3) | (isLast ? 1 : 0), 0, 3);
    pieces.push(blockHead, block);
  }
  return Buffer.concat(pieces);
}

/** The contents of whole frames, one after the other: of any frames where the runtime has zstd, else of stored ones. */
export async function unpackFrames(frames: Uint8Array): Promise<Buffer> {
  if (!canUnpack(zlib)) return unpackStored(Buffer.from(frames));
  const unpacking = zlib.createZstdDecompress();
  unpacking.end(frames);
  return buffer(unpacking);
}

/** Node's types are those of the oldest runtime, which has none of it. */
function canUnpack(runtime: object): runtime is { createZstdDecompress(): Duplex } {
  return 'createZstdDecompress' in runtime;
}

function unpackStored(frames: Buffer): Buffer {
  const contents: Buffer[] = [];
  let at = 0;
  while (at < frames.byteLength) {
    if (frames.readUInt32LE(at) !== MAGIC) throw new Error(`No frame begins at ${at}`);
    at += HEAD_BYTES;
    for (let isLast = false; !isLast;) {
      const blockHead = frames.readUIntLE(at, 3);
      isLast = (blockHead & 1) === 1;
      const begin = at + 3;
      at = begin + (blockHead >> 3);
      contents.push(frames.subarray(begin, at));
    }
  }
  return Buffer.concat(contents);
}
