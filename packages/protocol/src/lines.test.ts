import { deserialize } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { putChecksum, removeChecksum } from './checksum.ts';
import { encodeBsonDataLine, encodeBsonLine } from './bson-line.ts';
import { encodeOpElement } from './encode-op.ts';
import { encodeJsonDataLine, encodeJsonLine } from './json-line.ts';
import type { ControlLine } from './line.ts';
import type { Op } from './op.ts';
import { opsToJson } from './ops-to-json.ts';
import { parseLine } from './parse-line.ts';

const textOf = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('utf8');
const hexOf = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('hex');

/** Control lines of the session in spec/protocol.md 11.5, with their JSON text. */
const SESSION: readonly (readonly [ControlLine, string])[] = [
  [
    {
      kind: 'checkpoint',
      lastOpId: 3n,
      writeCheckpoint: undefined,
      buckets: [
        {
          bucket: '7#lists|0["u1"]',
          checksum: 3687929421,
          count: 1,
          priority: 1,
          subscriptions: [{ default: 0 }],
        },
        {
          bucket: '7#todos|0["L1"]',
          checksum: 2555708821,
          count: 2,
          priority: 3,
          subscriptions: [{ sub: 0 }],
        },
      ],
      streams: [
        { name: 'lists', isDefault: true, errors: [] },
        { name: 'todos', isDefault: false, errors: [] },
      ],
    },
    '{"checkpoint":{"last_op_id":"3","buckets":[{"bucket":"7#lists|0[\\"u1\\"]","checksum":-607037875,"count":1,"priority":1,"subscriptions":[{"default":0}]},{"bucket":"7#todos|0[\\"L1\\"]","checksum":-1739258475,"count":2,"priority":3,"subscriptions":[{"sub":0}]}],"streams":[{"name":"lists","is_default":true,"errors":[]},{"name":"todos","is_default":false,"errors":[]}]}}',
  ],
  [
    { kind: 'partial_checkpoint_complete', lastOpId: 3n, priority: 1 },
    '{"partial_checkpoint_complete":{"last_op_id":"3","priority":1}}',
  ],
  [{ kind: 'checkpoint_complete', lastOpId: 3n }, '{"checkpoint_complete":{"last_op_id":"3"}}'],
  [{ kind: 'token_expires_in', seconds: 3540 }, '{"token_expires_in":3540}'],
  [
    {
      kind: 'checkpoint_diff',
      lastOpId: 4n,
      writeCheckpoint: 1n,
      removedBuckets: [],
      updatedBuckets: [
        {
          bucket: '7#todos|0["L1"]',
          checksum: -611357420,
          count: 3,
          priority: 3,
          subscriptions: [{ sub: 0 }],
        },
      ],
    },
    '{"checkpoint_diff":{"last_op_id":"4","write_checkpoint":"1","removed_buckets":[],"updated_buckets":[{"bucket":"7#todos|0[\\"L1\\"]","checksum":-611357420,"count":3,"priority":3,"subscriptions":[{"sub":0}]}]}}',
  ],
];

const L2_OP: Op = {
  kind: 'PUT',
  opId: 1n,
  objectType: 'lists',
  objectId: 'L1',
  subkey: 'T-lists/11111111-1111-5111-8111-111111111111',
  checksum: 3687929421,
  data: '{"id":"L1","name":"Groceries","owner_id":"u1"}',
};
const L2_FRAME = { bucket: '7#lists|0["u1"]', after: 0n, nextAfter: 1n, hasMore: false };

describe('control lines', () => {
  test.each(SESSION)('$kind as JSON equals the worked example', (line, text) => {
    expect(textOf([encodeJsonLine(line)])).toBe(`${text}\n`);
  });

  test.each(SESSION)('$kind as BSON holds the same as the JSON form', (line, text) => {
    expect(deserialize(encodeBsonLine(line))).toEqual(JSON.parse(text));
  });

  test('lines L5 and L6 as BSON equal the worked example', () => {
    expect(hexOf([encodeBsonLine({ kind: 'checkpoint_complete', lastOpId: 3n })])).toBe(
      '3100000003636865636b706f696e745f636f6d706c6574650017000000026c6173745f6f705f6964000200000033000000',
    );
    expect(hexOf([encodeBsonLine({ kind: 'token_expires_in', seconds: 3540 })])).toBe(
      '1b00000010746f6b656e5f657870697265735f696e00d40d000000',
    );
  });

  test('counts and indexes are BSON integers, checksums signed', () => {
    const [line] = SESSION[0] ?? [];
    const raw = deserialize(encodeBsonLine(line as ControlLine), { promoteValues: false });
    const bucket = raw['checkpoint'].buckets[0];
    expect([bucket.checksum, bucket.count, bucket.priority].map((n) => n._bsontype)).toEqual([
      'Int32',
      'Int32',
      'Int32',
    ]);
    expect(bucket.checksum.value).toBe(-607037875);
  });

  test.each([0, 1, 63, 64, 65, 128, 1000])('hold %i buckets', (count) => {
    const buckets = Array.from({ length: count }, (_, i) => ({
      bucket: `7#b["ü${i}"]`,
      checksum: i - 500,
      count: i,
      priority: 3,
      subscriptions: [{ default: 0 }],
    }));
    const common = { lastOpId: 5n, writeCheckpoint: undefined };
    const lines = [
      { kind: 'checkpoint', ...common, buckets, streams: [] },
      { kind: 'checkpoint_diff', ...common, removedBuckets: ['x'], updatedBuckets: buckets },
    ] as const;
    for (const line of lines) {
      const text = textOf([encodeJsonLine(line)]);
      expect(text).toBe(`${JSON.stringify(JSON.parse(text))}\n`);
      expect(parseLine(JSON.parse(text))).toEqual(line);
      expect(parseLine(deserialize(encodeBsonLine(line)))).toEqual(line);
    }
  });

  test('any names and errors survive both encodings', () => {
    const text = fc.string({ unit: 'binary' });
    const line = fc.record({
      kind: fc.constant('checkpoint' as const),
      lastOpId: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
      writeCheckpoint: fc.option(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), { nil: undefined }),
      buckets: fc.array(
        fc.record({
          bucket: text,
          checksum: fc.integer(),
          count: fc.nat({ max: 2 ** 40 }),
          priority: fc.nat({ max: 3 }),
          subscriptions: fc.array(
            fc.oneof(fc.record({ default: fc.nat() }), fc.record({ sub: fc.nat() })),
          ),
        }),
      ),
      streams: fc.array(
        fc.record({
          name: text,
          isDefault: fc.boolean(),
          errors: fc.array(
            fc.record({
              subscription: fc.oneof(fc.constant('default' as const), fc.nat()),
              message: text,
            }),
          ),
        }),
      ),
    });
    fc.assert(
      fc.property(line, (input) => {
        expect(parseLine(JSON.parse(textOf([encodeJsonLine(input)])))).toEqual(input);
        expect(parseLine(deserialize(encodeBsonLine(input)))).toEqual(input);
      }),
    );
  });
});

describe('data lines', () => {
  test('line L2 equals the worked example in BSON', () => {
    const element = encodeOpElement(L2_OP);
    const line = encodeBsonDataLine(L2_FRAME, [element], element.length);
    expect(hexOf(line)).toBe(
      '2f01000003646174610024010000026275636b6574001000000037236c697374737c305b227531225d0002616674657200020000003000086861735f6d6f72650000046461746100d3000000033000cb000000026f705f696400020000003100026f70000400000050555400026f626a6563745f7479706500060000006c6973747300026f626a6563745f696400030000004c310001636865636b73756d000000a0c92a7aeb41027375626b6579002d000000542d6c697374732f31313131313131312d313131312d353131312d383131312d313131313131313131313131000264617461002f0000007b226964223a224c31222c226e616d65223a2247726f636572696573222c226f776e65725f6964223a227531227d000000026e6578745f6166746572000200000031000000',
    );
    expect(line).toContain(element);
  });

  test('line L2 equals the worked example in JSON, raw and embedded', () => {
    const head =
      '{"data":{"bucket":"7#lists|0[\\"u1\\"]","after":"0","has_more":false,"data":[{"op_id":"1","op":"PUT","object_type":"lists","object_id":"L1","checksum":3687929421,"subkey":"T-lists/11111111-1111-5111-8111-111111111111","data":';
    const tail = '}],"next_after":"1"}}\n';
    const parts = [encodeOpElement(L2_OP)];
    expect(textOf(encodeJsonDataLine(L2_FRAME, opsToJson(parts, 'text')))).toBe(
      `${head}"{\\"id\\":\\"L1\\",\\"name\\":\\"Groceries\\",\\"owner_id\\":\\"u1\\"}"${tail}`,
    );
    expect(textOf(encodeJsonDataLine(L2_FRAME, opsToJson(parts, 'embedded')))).toBe(
      `${head}{"id":"L1","name":"Groceries","owner_id":"u1"}${tail}`,
    );
  });

  // spec/protocol.md 11.5 (L4, L8) and 11.4 (after both passes)
  test.each<readonly [string, typeof L2_FRAME, readonly Op[], string]>([
    [
      'L4',
      { bucket: '7#todos|0["L1"]', after: 0n, nextAfter: 3n, hasMore: false },
      [
        {
          kind: 'PUT',
          opId: 2n,
          objectType: 'todos',
          objectId: 'T1',
          checksum: 3603514498,
          subkey: 'T-todos/21111111-1111-5111-8111-111111111111',
          data: '{"id":"T1","list_id":"L1","title":"Milk","qty":2}',
        },
        {
          kind: 'PUT',
          opId: 3n,
          objectType: 'todos',
          objectId: 'T2',
          checksum: 3247161619,
          subkey: 'T-todos/22222222-2222-5222-8222-222222222222',
          data: '{"id":"T2","list_id":"L1","title":"Bread","qty":1}',
        },
      ],
      '{"data":{"bucket":"7#todos|0[\\"L1\\"]","after":"0","has_more":false,"data":[{"op_id":"2","op":"PUT","object_type":"todos","object_id":"T1","checksum":3603514498,"subkey":"T-todos/21111111-1111-5111-8111-111111111111","data":"{\\"id\\":\\"T1\\",\\"list_id\\":\\"L1\\",\\"title\\":\\"Milk\\",\\"qty\\":2}"},{"op_id":"3","op":"PUT","object_type":"todos","object_id":"T2","checksum":3247161619,"subkey":"T-todos/22222222-2222-5222-8222-222222222222","data":"{\\"id\\":\\"T2\\",\\"list_id\\":\\"L1\\",\\"title\\":\\"Bread\\",\\"qty\\":1}"}],"next_after":"3"}}\n',
    ],
    [
      'L8',
      { bucket: '7#todos|0["L1"]', after: 3n, nextAfter: 4n, hasMore: false },
      [
        {
          kind: 'REMOVE',
          opId: 4n,
          objectType: 'todos',
          objectId: 'T1',
          checksum: 1127901055,
          subkey: 'T-todos/21111111-1111-5111-8111-111111111111',
        },
      ],
      '{"data":{"bucket":"7#todos|0[\\"L1\\"]","after":"3","has_more":false,"data":[{"op_id":"4","op":"REMOVE","object_type":"todos","object_id":"T1","checksum":1127901055,"subkey":"T-todos/21111111-1111-5111-8111-111111111111","data":null}],"next_after":"4"}}\n',
    ],
    [
      'the compacted bucket',
      { bucket: '7#todos|0["L1"]', after: 0n, nextAfter: 14n, hasMore: false },
      [
        { kind: 'CLEAR', opId: 11n, checksum: 530239124 },
        {
          kind: 'PUT',
          opId: 12n,
          objectType: 'todos',
          objectId: 'A',
          checksum: 2576679518,
          subkey: 'tt/aaaaaaaa-0000-5000-8000-000000000001',
          data: '{"id":"A","title":"a2"}',
        },
        {
          kind: 'REMOVE',
          opId: 13n,
          objectType: 'todos',
          objectId: 'B',
          checksum: 3425507020,
          subkey: 'tt/bbbbbbbb-0000-5000-8000-000000000002',
        },
        {
          kind: 'PUT',
          opId: 14n,
          objectType: 'todos',
          objectId: 'C',
          checksum: 2297328903,
          subkey: 'tt/cccccccc-0000-5000-8000-000000000003',
          data: '{"id":"C","title":"c1"}',
        },
      ],
      '{"data":{"bucket":"7#todos|0[\\"L1\\"]","after":"0","has_more":false,"data":[{"op_id":"11","op":"CLEAR","checksum":530239124},{"op_id":"12","op":"PUT","object_type":"todos","object_id":"A","checksum":2576679518,"subkey":"tt/aaaaaaaa-0000-5000-8000-000000000001","data":"{\\"id\\":\\"A\\",\\"title\\":\\"a2\\"}"},{"op_id":"13","op":"REMOVE","object_type":"todos","object_id":"B","checksum":3425507020,"subkey":"tt/bbbbbbbb-0000-5000-8000-000000000002","data":null},{"op_id":"14","op":"PUT","object_type":"todos","object_id":"C","checksum":2297328903,"subkey":"tt/cccccccc-0000-5000-8000-000000000003","data":"{\\"id\\":\\"C\\",\\"title\\":\\"c1\\"}"}],"next_after":"14"}}\n',
    ],
  ])('%s equals the worked example in JSON', (_name, frame, ops, text) => {
    const parts = ops.map(encodeOpElement);
    expect(textOf(encodeJsonDataLine(frame, opsToJson(parts, 'text')))).toBe(text);
    const sums = ops.map((op) => (op.kind === 'PUT' ? putChecksum(op.objectType, op.objectId, op.data) : op.kind === 'REMOVE' ? removeChecksum(op.subkey) : op.checksum)); // prettier-ignore
    expect(sums).toEqual(ops.map(({ checksum }) => checksum));
  });

  test('the embedded form keeps every digit and has data null on every other op', () => {
    const ops: Op[] = [
      { ...L2_OP, data: '{"n":9007199254740993,"r":2.0}' },
      { kind: 'MOVE', opId: 2n, checksum: 5 },
      { kind: 'CLEAR', opId: 3n, checksum: 6 },
      { kind: 'REMOVE', opId: 4n, objectType: 't', objectId: 'i', subkey: 's', checksum: 7 },
    ];
    const text = textOf([opsToJson(ops.map(encodeOpElement), 'embedded')]);
    expect(text).toContain('"data":{"n":9007199254740993,"r":2.0}}');
    expect(text.match(/"data":null/g)).toHaveLength(3);
    expect(JSON.parse(`[${text}]`)).toHaveLength(4);
    expect(
      textOf([opsToJson(ops.map(encodeOpElement), 'text')]).match(/"data":null/g),
    ).toHaveLength(1);
  });

  const anyText = fc.string({ unit: 'binary' });
  const row = {
    opId: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
    objectType: anyText.map((text) => text.replaceAll('\0', '')),
    objectId: anyText,
    subkey: anyText,
    checksum: fc.nat({ max: 2 ** 32 - 1 }),
  };
  const bare = { opId: row.opId, checksum: row.checksum };
  const anyOp: fc.Arbitrary<Op> = fc.oneof(
    fc.record({ kind: fc.constant('PUT' as const), ...row, data: anyText }),
    fc.record({ kind: fc.constant('REMOVE' as const), ...row }),
    fc.record({ kind: fc.constant('MOVE' as const), ...bare }),
    fc.record({ kind: fc.constant('CLEAR' as const), ...bare }),
  );

  test('any operations survive both encodings', () => {
    fc.assert(
      fc.property(fc.array(anyOp, { minLength: 1 }), anyText, fc.boolean(), (ops, bucket, more) => {
        const frame = { bucket, after: 1n, nextAfter: ops.at(-1)?.opId ?? 0n, hasMore: more };
        const parts = ops.map(encodeOpElement);
        const joined = Buffer.concat(parts);
        const expected = { kind: 'data', ...frame, ops };
        const json = textOf(encodeJsonDataLine(frame, opsToJson(parts, 'text')));
        expect(parseLine(JSON.parse(json))).toEqual(expected);
        const whole = textOf(encodeJsonDataLine(frame, opsToJson([joined], 'text')));
        expect(whole).toBe(json);
        const bson = Buffer.concat(encodeBsonDataLine(frame, parts, joined.length));
        expect(parseLine(deserialize(bson))).toEqual(expected);
      }),
    );
  });
});
