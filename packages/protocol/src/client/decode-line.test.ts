import { serialize, Double, Int32, Long } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineError } from '../line-error.ts';
import { parseLine } from '../parse-line.ts';
import { readBsonDocument } from './bson-document.ts';
import { decodeBsonLine, decodeJsonLine } from './decode-line.ts';
import { BsonLineSplitter, JsonLineSplitter } from './line-splitter.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

// Lines L5, L6 and L2 of spec/protocol.md 11.5 and 11.6.
const L5 =
  '3100000003636865636b706f696e745f636f6d706c6574650017000000026c6173745f6f705f6964000200000033000000';
const L6 = '1b00000010746f6b656e5f657870697265735f696e00d40d000000';
const L2 =
  '2f01000003646174610024010000026275636b6574001000000037236c697374737c305b227531225d0002616674657200020000003000086861735f6d6f72650000046461746100d3000000033000cb000000026f705f696400020000003100026f70000400000050555400026f626a6563745f7479706500060000006c6973747300026f626a6563745f696400030000004c310001636865636b73756d000000a0c92a7aeb41027375626b6579002d000000542d6c697374732f31313131313131312d313131312d353131312d383131312d313131313131313131313131000264617461002f0000007b226964223a224c31222c226e616d65223a2247726f636572696573222c226f776e65725f6964223a227531227d000000026e6578745f6166746572000200000031000000';
const TEXTS = [
  '{"checkpoint_complete":{"last_op_id":"3"}}',
  '{"token_expires_in":3540}',
  String.raw`{"data":{"bucket":"7#lists|0[\"u1\"]","after":"0","has_more":false,"data":[{"op_id":"1","op":"PUT","object_type":"lists","object_id":"L1","checksum":3687929421,"subkey":"T-lists/11111111-1111-5111-8111-111111111111","data":"{\"id\":\"L1\",\"name\":\"Groceries\",\"owner_id\":\"u1\"}"}],"next_after":"1"}}`,
];

test.each([
  ['L5', L5, TEXTS[0]],
  ['L6', L6, TEXTS[1]],
  ['L2', L2, TEXTS[2]],
])('%s of the spec is the same line as BSON and as JSON', (_name, hex, text = '') => {
  expect(decodeBsonLine(bytes(hex))).toEqual(decodeJsonLine(text));
});

const bucket = { bucket: 'b', checksum: 1, count: 1, priority: 1, subscriptions: [] };
const checkpoint = (more: object) => ({ checkpoint: { last_op_id: '1', buckets: [], ...more } });
const withBucket = (more: object) => checkpoint({ buckets: [{ ...bucket, ...more }] });

describe('BSON lines that are accepted', () => {
  test.each<[string, object]>([
    ['a second key', { checkpoint_complete: { last_op_id: '1' }, more: 1 }],
    ['an unknown line', { something_new: {} }],
    ['a checksum as a double', withBucket({ checksum: new Double(7) })],
    ['a checksum as int64', withBucket({ checksum: Long.fromNumber(7) })],
    ['a count as int64', withBucket({ count: Long.fromNumber(2 ** 40) })],
    ['a double in a field that is ignored', withBucket({ score: new Double(0.5) })],
    ['a date in a field that is ignored', withBucket({ at: new Date() })],
    ['a binary in a field that is ignored', withBucket({ raw: new Uint8Array(3) })],
    ['write_checkpoint null', checkpoint({ write_checkpoint: null })],
  ])('%s', (_what, line) => {
    expect(() => decodeBsonLine(serialize(line))).not.toThrow();
  });
});

describe('BSON lines that no service may send', () => {
  test.each<[string, object]>([
    ['no key', {}],
    ['an op id as a number', { checkpoint_complete: { last_op_id: new Int32(1) } }],
    ['an op id of 64 bits', { checkpoint_complete: { last_op_id: '9223372036854775808' } }],
    ['a count as a double', withBucket({ count: new Double(1) })],
    ['a priority as a double', withBucket({ priority: new Double(1) })],
    ['a checksum that is no whole number', withBucket({ checksum: new Double(0.5) })],
    ['a checksum of 33 bits', withBucket({ checksum: new Double(4294967296) })],
    ['an expiry as a double', { token_expires_in: new Double(1) }],
    ['a regular expression in a field that is ignored', withBucket({ pattern: /x/ })],
  ])('%s', (_what, line) => {
    expect(() => decodeBsonLine(serialize(line))).toThrow(LineError);
  });
});

/** Line vectors of spec/protocol.md 11.10 that need the text. */
describe('JSON lines that no service may send', () => {
  test.each([
    ['a key with an escape', String.raw`{"token_expires_\u0069n":5}`],
    [
      'count 1.0',
      `{"checkpoint":{"last_op_id":"1","buckets":[{"bucket":"b","checksum":1,"count":1.0}]}}`,
    ],
    [
      'an index 1.0',
      `{"checkpoint":{"last_op_id":"1","buckets":[{"bucket":"b","checksum":1,"subscriptions":[{"sub":1.0}]}]}}`,
    ],
    ['an expiry 1.0', '{"token_expires_in":1.0}'],
    ['no object', '[]'],
    ['half a line', '{"token_expires_in":1'],
  ])('%s', (_what, text) => {
    expect(() => decodeJsonLine(text)).toThrow(LineError);
  });

  test('but a checksum may be written as an integral double', () => {
    const text = `{"checkpoint":{"last_op_id":"1","buckets":[{"bucket":"\\"count\\":1.0","checksum":1.0}]}}`;
    expect(() => decodeJsonLine(text)).not.toThrow();
  });
});

test('ids beyond 2^53 are exact in every place of a line', () => {
  const [a, b, c] = ['9007199254740993', '9223372036854775807', '9007199254740995'];
  const op = { op_id: b, op: 'MOVE', checksum: 1 };
  const lines = [
    { checkpoint: { last_op_id: a, write_checkpoint: b, buckets: [], streams: [] } },
    {
      checkpoint_diff: {
        last_op_id: a,
        write_checkpoint: b,
        updated_buckets: [],
        removed_buckets: [],
      },
    },
    { data: { bucket: 'b', after: a, has_more: false, data: [op], next_after: c } },
    { checkpoint_complete: { last_op_id: a } },
    { partial_checkpoint_complete: { last_op_id: a, priority: 1 } },
  ];
  const expected = [
    { lastOpId: 2n ** 53n + 1n, writeCheckpoint: 2n ** 63n - 1n },
    { lastOpId: 2n ** 53n + 1n, writeCheckpoint: 2n ** 63n - 1n },
    { after: 2n ** 53n + 1n, nextAfter: 2n ** 53n + 3n, ops: [{ opId: 2n ** 63n - 1n }] },
    { lastOpId: 2n ** 53n + 1n },
    { lastOpId: 2n ** 53n + 1n },
  ];
  expect(lines.map((line) => decodeJsonLine(JSON.stringify(line)))).toMatchObject(expected);
  expect(lines.map((line) => decodeBsonLine(serialize(line)))).toMatchObject(expected);
});

const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 12 }).filter(isKey), tie('value')),
  ),
})).value;

function isKey(key: string): boolean {
  return !key.includes('\0') && key !== '__proto__';
}

test('random documents are read as the bson package wrote them', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), json), (document) => {
      const written = serialize(document, { ignoreUndefined: false });
      expect(readBsonDocument(written)).toEqual({ ...document });
    }),
    { seed: 20_261_125, numRuns: 500 },
  );
});

test('random damage is a LineError or another line, never another failure', () => {
  const good = bytes(L2);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, cut) => {
      const damaged = good.slice(0, cut === 0 ? undefined : cut);
      damaged[at % Math.max(1, damaged.length)] = value;
      try {
        decodeBsonLine(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(LineError);
      }
    }),
    { seed: 20_261_125, numRuns: 2000 },
  );
});

describe('a stream of bytes becomes lines wherever its chunks end', () => {
  const lines = TEXTS.map((text) => parseLine(JSON.parse(text)));
  const jsonStream = Buffer.from(`\n${TEXTS.join('\n')}\n{"later":"é🙂"}\n${TEXTS[1]}`);
  const bsonStream = Buffer.from([L5, L6, L2].join('') + L6, 'hex');
  test.each([
    ['JSON', jsonStream, () => new JsonLineSplitter(10_000)],
    ['BSON', bsonStream, () => new BsonLineSplitter(10_000)],
  ])('%s', (_format, stream, splitter) => {
    for (let size = 1; size <= stream.length; size += 1) {
      const split = splitter();
      const got = [];
      for (let at = 0; at < stream.length; at += size) {
        got.push(...split.push(Uint8Array.from(stream.subarray(at, at + size))));
      }
      got.push(...split.end());
      expect(got).toEqual([...lines, lines[1]]);
    }
  });

  test('a line that is too long is refused before it is all there', () => {
    expect(() => new JsonLineSplitter(10).push(Buffer.from('x'.repeat(11)))).toThrow(LineError);
    expect(() => new BsonLineSplitter(100).push(bytes(L2.slice(0, 20)))).toThrow(LineError);
  });

  test('an end inside a document is an error', () => {
    const split = new BsonLineSplitter(1000);
    split.push(bytes(L6.slice(0, 20)));
    expect(() => split.end()).toThrow(LineError);
  });
});
