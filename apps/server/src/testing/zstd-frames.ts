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

/**
 * The contents of whole frames, one after the other: of any frames where the runtime has zstd, else of stored ones.
 * Frame by frame, as the decoders of Node.js 22 and 24 end at the first when they get several at once.
 */
export function unpackFrames(frames: Uint8Array): Buffer {
  const bytes = Buffer.from(frames);
  const contents: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const { endsAt, stored } = frameAt(bytes, at);
    contents.push(hasZstd(zlib) ? zlib.zstdDecompressSync(bytes.subarray(at, endsAt)) : stored());
    at = endsAt;
  }
  return Buffer.concat(contents);
}

/** Node's types are those of the oldest runtime, which has none of it. */
function hasZstd(runtime: object): runtime is { zstdDecompressSync(frame: Uint8Array): Buffer } {
  return 'zstdDecompressSync' in runtime;
}

/** Where a frame ends, and its content, which must be stored. */
function frameAt(bytes: Buffer, beginsAt: number) {
  if (bytes.readUInt32LE(beginsAt) !== MAGIC) throw new Error(`No frame begins at ${beginsAt}`);
  const descriptor = bytes.readUInt8(beginsAt + 4);
  const isOneSegment = (descriptor & 0x20) !== 0;
  const sizeBytes = [isOneSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const stored: Buffer[] = [];
  let isStored = true;
  let at = beginsAt + 5 + sizeBytes + (isOneSegment ? 0 : 1);
  for (let isLast = false; !isLast;) {
    const head = bytes.readUIntLE(at, 3);
    isLast = (head & 1) === 1;
    const kind = (head >> 1) & 3;
    isStored &&= kind === 0;
    // A block of one byte repeated has that byte only.
    const length = kind === 1 ? 1 : head >> 3;
    stored.push(bytes.subarray(at + 3, at + 3 + length));
    at += 3 + length;
  }
  return {
    endsAt: at,
    stored: () => {
      if (!isStored) throw new Error('The runtime has no zstd for a frame that is compressed');
      return Buffer.concat(stored);
    },
  };
}
