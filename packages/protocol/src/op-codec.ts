import { StringCache } from './string-cache.ts';

/**
 * Operations as elements of a BSON array, ready to be concatenated into a `data` line.
 *
 *     03 30 00                        type "document", key "0" (receivers read elements in order)
 *     int32 length                    of the document
 *     02 op_id\0 int32 digits\0       --- head up to here: differs per bucket
 *     02 op\0 ...  02 object_type\0 ...  02 object_id\0 ...
 *     10|01 checksum\0 ...  02 subkey\0 ...  02|0a data\0 ...
 *     00                              --- tail up to here: shared by all buckets of one output
 *
 * Field order and number forms are those of spec/protocol.md 11.6 (line L2).
 */

const EMPTY = Buffer.alloc(0);
/** Head bytes besides the digits of the op id. */
const HEAD_BYTES = 3 + 4 + 7 + 4 + 1;
/** Type byte, key "0". */
const ELEMENT_START = [0x03, 0x30, 0x00] as const;
const OP_ID_FIELD = Buffer.from('\x02op_id\0', 'latin1');

const PUT_START = Buffer.from('\x02op\0\x04\0\0\0PUT\0', 'latin1');
const REMOVE_START = Buffer.from('\x02op\0\x07\0\0\0REMOVE\0', 'latin1');
const MOVE_START = Buffer.from('\x02op\0\x05\0\0\0MOVE\0', 'latin1');
const CLEAR_START = Buffer.from('\x02op\0\x06\0\0\0CLEAR\0', 'latin1');
const OBJECT_TYPE_KEY = Buffer.from('\x02object_type\0', 'latin1');
const OBJECT_ID_KEY = Buffer.from('\x02object_id\0', 'latin1');
const CHECKSUM_INT_KEY = Buffer.from('\x10checksum\0', 'latin1');
const CHECKSUM_DOUBLE_KEY = Buffer.from('\x01checksum\0', 'latin1');
const SUBKEY_KEY = Buffer.from('\x02subkey\0', 'latin1');
const DATA_KEY = Buffer.from('\x02data\0', 'latin1');
const NULL_DATA = Buffer.from('\x0adata\0', 'latin1');

/** Above what the fixed parts of any tail need, strings apart. */
const FIXED_TAIL_BYTES = 128;
const MAX_INT32 = 0x7fffffff;

/**
 * Writes op tails one behind the other into a Buffer that grows. Each method returns where its
 * tail starts; it ends at `length`. Nothing is allocated per op.
 */
export class OpTailWriter {
  #bytes: Buffer;
  #length = 0;
  readonly #putStarts = new StringCache((type) => startOf(PUT_START, type));
  readonly #removeStarts = new StringCache((type) => startOf(REMOVE_START, type));

  constructor(initialBytes = 64 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** The buffer that tails are in; replaced as it grows, so ask again after writing. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written; keeps the buffer unless it has grown past `keepBytes`. */
  reset(keepBytes = 16 * 1024 * 1024): void {
    this.#length = 0;
    if (this.#bytes.length > keepBytes) this.#bytes = EMPTY;
  }

  put(objectType: string, objectId: string, subkey: string, checksum: number, data: string) {
    const start = this.#length;
    this.#reserve(objectType.length + objectId.length + subkey.length + data.length);
    this.#fixed(this.#putStarts.get(objectType));
    this.#string(objectId);
    this.#checksum(checksum);
    this.#fixed(SUBKEY_KEY);
    this.#string(subkey);
    this.#fixed(DATA_KEY);
    this.#string(data);
    this.#bytes[this.#length++] = 0;
    return start;
  }

  remove(objectType: string, objectId: string, subkey: string, checksum: number): number {
    const start = this.#length;
    this.#reserve(objectType.length + objectId.length + subkey.length);
    this.#fixed(this.#removeStarts.get(objectType));
    this.#string(objectId);
    this.#checksum(checksum);
    this.#fixed(SUBKEY_KEY);
    this.#string(subkey);
    this.#fixed(NULL_DATA);
    this.#bytes[this.#length++] = 0;
    return start;
  }

  move(checksum: number): number {
    return this.#bare(MOVE_START, checksum);
  }

  clear(checksum: number): number {
    return this.#bare(CLEAR_START, checksum);
  }

  #bare(opField: Buffer, checksum: number): number {
    const start = this.#length;
    this.#reserve(0);
    this.#fixed(opField);
    this.#checksum(checksum);
    this.#bytes[this.#length++] = 0;
    return start;
  }

  #reserve(chars: number): void {
    const needed = this.#length + FIXED_TAIL_BYTES + chars * 3;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }

  /** A loop, because these are too short for the cost of a call into the runtime. */
  #fixed(part: Uint8Array): void {
    const bytes = this.#bytes;
    const at = this.#length;
    const length = part.length;
    for (let index = 0; index < length; index++) bytes[at + index] = part[index] as number;
    this.#length = at + length;
  }

  /** int32 length with the terminator, text, terminator. */
  #string(text: string): void {
    const at = this.#length;
    const written = writeText(this.#bytes, text, at + 4);
    writeInt32(this.#bytes, at, written + 1);
    this.#bytes[at + 4 + written] = 0;
    this.#length = at + 5 + written;
  }

  #checksum(checksum: number): void {
    if (checksum <= MAX_INT32) {
      this.#fixed(CHECKSUM_INT_KEY);
      writeInt32(this.#bytes, this.#length, checksum);
      this.#length += 4;
    } else {
      this.#fixed(CHECKSUM_DOUBLE_KEY);
      this.#length = this.#bytes.writeDoubleLE(checksum, this.#length);
    }
  }
}

/** Decimal digits of an op id. */
export function opIdDigits(opId: number): number {
  let digits = 1;
  for (let bound = 10; opId >= bound; bound *= 10) digits += 1;
  return digits;
}

/** Bytes of an element whose tail has `tailBytes`. */
export function opElementBytes(digits: number, tailBytes: number): number {
  return HEAD_BYTES + digits + tailBytes;
}

/**
 * Writes what stands before a tail of `tailBytes` at `at`; returns where the tail has to go.
 * `opId` is an exact integer; ids above 2^53 go through `writeOpHeadText`.
 */
export function writeOpHead(
  target: Uint8Array,
  at: number,
  opId: number,
  digits: number,
  tailBytes: number,
): number {
  const end = headFrame(target, at, digits, tailBytes);
  let rest = opId;
  for (let index = end - 2; index >= end - 1 - digits; index--) {
    const tens = Math.floor(rest / 10);
    target[index] = 48 + (rest - tens * 10);
    rest = tens;
  }
  return end;
}

/** As `writeOpHead`, for an op id given as its decimal digits. */
export function writeOpHeadText(
  target: Uint8Array,
  at: number,
  opId: string,
  tailBytes: number,
): number {
  const end = headFrame(target, at, opId.length, tailBytes);
  const first = end - 1 - opId.length;
  for (let index = 0; index < opId.length; index++) target[first + index] = opId.charCodeAt(index);
  return end;
}

function headFrame(target: Uint8Array, at: number, digits: number, tailBytes: number): number {
  target[at] = ELEMENT_START[0];
  target[at + 1] = ELEMENT_START[1];
  target[at + 2] = ELEMENT_START[2];
  writeInt32(target, at + 3, 4 + 7 + 4 + digits + 1 + tailBytes);
  for (let index = 0; index < 7; index++) target[at + 7 + index] = OP_ID_FIELD[index] as number;
  writeInt32(target, at + 14, digits + 1);
  const end = at + HEAD_BYTES + digits;
  target[end - 1] = 0;
  return end;
}

function startOf(opField: Buffer, objectType: string): Buffer {
  const type = Buffer.from(`${objectType}\0`);
  const length = Buffer.alloc(4);
  length.writeInt32LE(type.length);
  return Buffer.concat([opField, OBJECT_TYPE_KEY, length, type, OBJECT_ID_KEY]);
}

function writeInt32(target: Uint8Array, at: number, value: number): void {
  target[at] = value & 0xff;
  target[at + 1] = (value >>> 8) & 0xff;
  target[at + 2] = (value >>> 16) & 0xff;
  target[at + 3] = value >>> 24;
}

/** Short ASCII is cheaper by hand than through the runtime. */
function writeText(target: Buffer, text: string, at: number): number {
  if (text.length > 48) return target.write(text, at);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return target.write(text, at);
    target[at + index] = code;
  }
  return text.length;
}
