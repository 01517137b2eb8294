import { SyncError } from '@sluice/base';
import type { Op } from './op.ts';

/**
 * Reads concatenated op elements, in order. Takes any BSON that is an op (fields in any order,
 * checksum as int32, int64 or double, signed or not; spec/protocol.md 2.3, 2.4).
 *
 * @throws SyncError `SYNC_LINE_INVALID` for anything else.
 */
export function decodeOpElements(bytes: Uint8Array): Op[] {
  const reader = new ElementReader(bytes);
  const ops: Op[] = [];
  while (reader.at < bytes.length) ops.push(reader.element());
  return ops;
}

interface Fields {
  op_id?: string | number | null;
  op?: string | number | null;
  object_type?: string | number | null;
  object_id?: string | number | null;
  subkey?: string | number | null;
  checksum?: string | number | null;
  data?: string | number | null;
}

class ElementReader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  element(): Op {
    if (this.#bytes[this.at] !== 0x03) throw invalid('element is not a document', this.at);
    this.at = this.#end(this.at + 1, 'key') + 1;
    const start = this.at;
    const length = this.#int32();
    const end = start + length;
    if (length < 5 || end > this.#bytes.length) throw invalid('document length', start);
    const fields: Fields = {};
    while (this.at < end - 1) this.#field(fields);
    if (this.at !== end - 1 || this.#bytes[this.at] !== 0) throw invalid('document end', this.at);
    this.at = end;
    return toOp(fields, start);
  }

  #field(into: Fields): void {
    const type = this.#bytes[this.at] ?? 0;
    const keyStart = this.at + 1;
    const keyEnd = this.#end(keyStart, 'key');
    const name = fieldName(this.#bytes, keyStart, keyEnd);
    this.at = keyEnd + 1;
    const value = this.#value(type);
    if (name !== undefined) into[name] = value;
  }

  #value(type: number): string | number | null {
    const at = this.at;
    switch (type) {
      case 0x02:
        return this.#string();
      case 0x0a:
        return null;
      case 0x10:
        return this.#int32();
      case 0x01:
        this.#advance(8);
        return this.#bytes.readDoubleLE(at);
      case 0x12:
        this.#advance(8);
        return Number(this.#bytes.readBigInt64LE(at));
      default:
        throw invalid(`BSON type ${type}`, at);
    }
  }

  #string(): string {
    const length = this.#int32();
    const start = this.at;
    if (length < 1) throw invalid('string length', start);
    this.#advance(length);
    return this.#bytes.toString('utf8', start, start + length - 1);
  }

  #int32(): number {
    const at = this.at;
    this.#advance(4);
    return this.#bytes.readInt32LE(at);
  }

  #advance(by: number): void {
    if (this.at + by > this.#bytes.length) throw invalid('it ends early', this.at);
    this.at += by;
  }

  #end(from: number, what: string): number {
    const bytes = this.#bytes;
    for (let end = from; end < bytes.length; end++) if (bytes[end] === 0) return end;
    throw invalid(`${what} without end`, from);
  }
}

const FIELD_NAMES: readonly (keyof Fields)[] = [
  'op_id',
  'op',
  'object_type',
  'object_id',
  'subkey',
  'checksum',
  'data',
];
/** No two names have the same length, so that a key is told without making a string of it. */
const NAME_BY_LENGTH = new Map(
  FIELD_NAMES.map((name) => [name.length, { name, bytes: Buffer.from(name) }]),
);

function fieldName(bytes: Uint8Array, start: number, end: number): keyof Fields | undefined {
  const candidate = NAME_BY_LENGTH.get(end - start);
  if (candidate === undefined) return undefined;
  for (let at = start; at < end; at++) {
    if (bytes[at] !== candidate.bytes[at - start]) return undefined;
  }
  return candidate.name;
}

function toOp(fields: Fields, at: number): Op {
  const opId = opIdOf(fields.op_id, at);
  const checksum = checksumOf(fields.checksum, at);
  const kind = text(fields.op, 'op', at);
  switch (kind) {
    case 'MOVE':
    case 'CLEAR':
      return { kind, opId, checksum };
    case 'PUT':
      return {
        kind: 'PUT',
        opId,
        ...row(fields, at),
        checksum,
        data: text(fields.data, 'data', at),
      };
    case 'REMOVE':
      return { kind: 'REMOVE', opId, ...row(fields, at), checksum };
    default:
      throw invalid(`op ${kind}`, at);
  }
}

function row(fields: Fields, at: number) {
  return {
    objectType: text(fields.object_type, 'object_type', at),
    objectId: text(fields.object_id, 'object_id', at),
    subkey: text(fields.subkey, 'subkey', at),
  };
}

function text(value: unknown, what: string, at: number): string {
  if (typeof value !== 'string') throw invalid(`${what} is not a string`, at);
  return value;
}

function opIdOf(value: unknown, at: number): bigint {
  const digits = text(value, 'op_id', at);
  if (!/^[0-9]{1,19}$/.test(digits)) throw invalid('op_id is not a number', at);
  return BigInt(digits);
}

function checksumOf(value: unknown, at: number): number {
  const inRange = Number.isInteger(value) && Math.abs(value as number) < 2 ** 32;
  if (!inRange) throw invalid(`checksum ${String(value)}`, at);
  return (value as number) >>> 0;
}

function invalid(what: string, at: number): SyncError {
  return new SyncError('SYNC_LINE_INVALID', `Operation cannot be read at byte ${at}: ${what}`);
}
