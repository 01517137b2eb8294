import { deserialize, serialize, Double, Int32 } from 'bson';
import { describe, expect, test } from 'vitest';
import { decodeOpElements } from './decode-op.ts';
import { encodeOpElement, writeTail } from './encode-op.ts';
import { opElementBytes, opIdDigits, OpTailWriter, writeOpHead } from './op-codec.ts';
import type { Op } from './op.ts';

/** The element inside `data.data` of line L2 (spec 11.6). */
const L2_ELEMENT =
  '033000cb000000026f705f696400020000003100026f70000400000050555400026f626a6563745f747970650006' +
  '0000006c6973747300026f626a6563745f696400030000004c310001636865636b73756d000000a0c92a7aeb4102' +
  '7375626b6579002d000000542d6c697374732f31313131313131312d313131312d353131312d383131312d313131' +
  '313131313131313131000264617461002f0000007b226964223a224c31222c226e616d65223a2247726f63657269' +
  '6573222c226f776e65725f6964223a227531227d0000';

const L2_OP: Op = {
  kind: 'PUT',
  opId: 1n,
  objectType: 'lists',
  objectId: 'L1',
  subkey: 'T-lists/11111111-1111-5111-8111-111111111111',
  checksum: 3687929421,
  data: '{"id":"L1","name":"Groceries","owner_id":"u1"}',
};

const OPS: readonly Op[] = [
  L2_OP,
  { kind: 'MOVE', opId: 2n ** 63n - 1n, checksum: 0 },
  { kind: 'CLEAR', opId: 10n, checksum: 0xffffffff },
  { kind: 'REMOVE', opId: 99n, objectType: 't', objectId: '', subkey: 's', checksum: 0x7fffffff },
  {
    kind: 'PUT',
    opId: 12345678901234n,
    objectType: 'tëst',
    objectId: '漢'.repeat(30),
    subkey: 'x'.repeat(300),
    checksum: 0x80000000,
    data: `{"t":"${'😀é'.repeat(5000)}"}`,
  },
];

function oracle(op: Op): Uint8Array {
  const isRow = op.kind === 'PUT' || op.kind === 'REMOVE';
  const checksum = op.checksum > 0x7fffffff ? new Double(op.checksum) : new Int32(op.checksum);
  const row = isRow ? { object_type: op.objectType, object_id: op.objectId } : {};
  const rest = isRow ? { subkey: op.subkey, data: op.kind === 'PUT' ? op.data : null } : {};
  const element = { op_id: op.opId.toString(), op: op.kind, ...row, checksum, ...rest };
  const document = serialize({ 0: element });
  return document.subarray(4, document.length - 1);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('op elements', () => {
  test('line L2 of the specification', () => {
    expect(hex(encodeOpElement(L2_OP))).toBe(L2_ELEMENT);
  });

  test('every kind has the bytes that a BSON library writes', () => {
    for (const op of OPS) expect(hex(encodeOpElement(op))).toBe(hex(oracle(op)));
  });

  test('decoding concatenated elements gives the operations back', () => {
    expect(decodeOpElements(Buffer.concat(OPS.map(encodeOpElement)))).toEqual(OPS);
  });

  test('concatenated elements are a BSON array to a BSON library', () => {
    const body = Buffer.concat(OPS.slice(0, 3).map(encodeOpElement));
    const array = Buffer.concat([Buffer.alloc(4), body, Buffer.alloc(1)]);
    array.writeInt32LE(array.length);
    const line = serialize({ data: [] });
    const at = Buffer.from(line).indexOf('data\0') + 5;
    const document = Buffer.concat([line.subarray(0, at), array, Buffer.alloc(1)]);
    document.writeInt32LE(document.length);
    const decoded = deserialize(document) as { data: { op: string; op_id: string }[] };
    expect(decoded.data.map((op) => op.op)).toEqual(['PUT', 'MOVE', 'CLEAR']);
  });

  test('a tail is shared by heads with different op ids', () => {
    const tails = new OpTailWriter(1);
    for (const op of OPS) {
      const start = writeTail(tails, op);
      const tail = tails.bytes.subarray(start, tails.length);
      for (const opId of [1, 9, 10, 99, 100, 999_999, 1_000_000, Number.MAX_SAFE_INTEGER]) {
        const digits = opIdDigits(opId);
        expect(digits).toBe(String(opId).length);
        const element = new Uint8Array(opElementBytes(digits, tail.length));
        element.set(tail, writeOpHead(element, 0, opId, digits, tail.length));
        expect(hex(element)).toBe(hex(oracle({ ...op, opId: BigInt(opId) })));
      }
    }
  });

  test('the writer starts over after a reset', () => {
    const tails = new OpTailWriter(8);
    tails.clear(1);
    tails.reset(4);
    const start = tails.move(7);
    expect(start).toBe(0);
    const element = encodeOpElement({ kind: 'MOVE', opId: 1n, checksum: 7 });
    expect(tails.length).toBe(element.length - opElementBytes(1, 0));
  });

  test('damaged bytes are refused with a typed error', () => {
    const good = Buffer.from(encodeOpElement(L2_OP));
    for (let cut = 1; cut < good.length; cut++) {
      expect(() => decodeOpElements(good.subarray(0, cut))).toThrow('Operation cannot be read');
    }
    const wrongKind = Buffer.from(good);
    wrongKind.write('XXX', wrongKind.indexOf('PUT'));
    expect(() => decodeOpElements(wrongKind)).toThrow('op XXX');
  });

  test('a signed checksum is read as unsigned, unknown fields are ignored', () => {
    const op = { op_id: '5', op: 'MOVE', unknown: 1.5, tada: 'x', checksum: new Int32(-1) };
    const document = serialize({ 7: op });
    expect(decodeOpElements(document.subarray(4, document.length - 1))).toEqual([
      { kind: 'MOVE', opId: 5n, checksum: 0xffffffff },
    ]);
  });
});
