import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib';

/** Turns the bytes of a stream into the bytes on the wire. */
export interface StreamEncoder {
  /** What goes in front of everything. */
  readonly head: Uint8Array | undefined;
  /** Everything handed in comes out whole: nothing is held back for the next call. */
  encode(parts: readonly Uint8Array[]): Promise<readonly Uint8Array[]>;
  /** The proper end; left out when the stream is cut. */
  tail(): Uint8Array | undefined;
}

/** Parts below this size are put together before they are compressed or written. */
const SMALL_BYTES = 16 * 1024;
/** Above this size compression runs beside the event loop. */
const SYNC_BYTES = 32 * 1024;

export function identityEncoder(): StreamEncoder {
  return {
    head: undefined,
    encode: (parts) => Promise.resolve(joinSmall(parts)),
    tail: () => undefined,
  };
}

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
      return Promise.all(joined.map(deflateRun));
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

/** By the very object that the hub hands to every connection that gets these bytes. */
const runs = new WeakMap<Uint8Array, Promise<Buffer>>();

/** Raw deflate that begins with an empty window, ends at a byte, and has no final block. */
function deflateRun(part: Uint8Array): Promise<Buffer> {
  const known = runs.get(part);
  if (known) return known;
  const run =
    part.byteLength <= SYNC_BYTES
      ? Promise.resolve(deflateRawSync(part, RUN_OPTIONS))
      : deflateRawBeside(part, RUN_OPTIONS);
  runs.set(part, run);
  return run;
}

/** What was put together last behind a part. */
const joins = new WeakMap<
  Uint8Array,
  { readonly parts: readonly Uint8Array[]; readonly joined: Uint8Array }
>();

/**
 * The lines of a change that many connections have are the same objects for all of them (`LineEncoder`),
 * so what is put together of them is one object, too, and compressed once.
 */
function joinedRun(first: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const known = joins.get(first);
  const isSame =
    known?.parts.length === parts.length && parts.every((part, i) => part === known.parts[i]);
  if (isSame) return known.joined;
  const joined = Buffer.concat(parts);
  joins.set(first, { parts, joined });
  return joined;
}

/** Neighbouring small parts become one; large ones stay the objects they are. */
function joinSmall(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  if (parts.length <= 1) return parts;
  const joined: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    const [first] = small;
    if (first) joined.push(small.length === 1 ? first : joinedRun(first, small));
    small = [];
  };
  for (const part of parts) {
    if (part.byteLength < SMALL_BYTES) {
      small.push(part);
    } else {
      flush();
      joined.push(part);
    }
  }
  flush();
  return joined;
}
