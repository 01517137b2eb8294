import { SourceError } from '@sluice/base';
import type { ChangeEvent } from '@sluice/source';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { TypeCatalog } from '../types/type-catalog.ts';
import { parseMessage } from './parse-message.ts';
import { PgOutputDecoder } from './pg-output-decoder.ts';
import { planRelation } from './relation-plan.ts';

/*
 * Messages are put together here from the protocol's documentation
 * (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html); what a real
 * server sends is in pg-output-decoder.pg.test.ts.
 */
const byte = (char: string) => Buffer.from(char, 'latin1');
const int8 = (value: number) => Buffer.from([value]);
const int16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};
const text = (value: string) => Buffer.from(`${value}\0`);

const begin = Buffer.concat([byte('B'), int64(0x1_0000_0010n), int64(1_000_000n), int32(77)]);
const commit = Buffer.concat([
  byte('C'),
  int8(0),
  int64(0x1_0000_0010n),
  int64(0x1_0000_0040n),
  int64(1_234_567n),
]);
const origin = Buffer.concat([byte('O'), int64(1n), text('elsewhere')]);
const type = Buffer.concat([byte('Y'), int32(9), text('public'), text('mood')]);
const logical = Buffer.concat([
  byte('M'),
  int8(0),
  int64(0x2_0000_0000n),
  text('p'),
  int32(2),
  byte('ok'),
]);
const truncate = Buffer.concat([byte('T'), int32(1), int8(0), int32(5)]);

const COLUMNS = [
  ['id', 23, 1],
  ['name', 25, 0],
  ['at', 1184, 0],
  ['tags', 1009, 0],
] as const;
const relation = Buffer.concat([
  byte('R'),
  int32(5),
  text('public'),
  text('t'),
  byte('d'),
  int16(COLUMNS.length),
  ...COLUMNS.map(([name, oid, flags]) =>
    Buffer.concat([int8(flags), text(name), int32(oid), int32(-1)]),
  ),
]);

type Value = string | null | undefined;

/** Undefined stands for a value that did not change. */
function tuple(kind: string, values: readonly Value[]): Buffer {
  const parts = values.map((value) => {
    if (value === null) return byte('n');
    if (value === undefined) return byte('u');
    const bytes = Buffer.from(value);
    return Buffer.concat([byte('t'), int32(bytes.length), bytes]);
  });
  return Buffer.concat([byte(kind), int16(values.length), ...parts]);
}

const AT = '2031-07-08 09:10:11.25+00';
const insert = Buffer.concat([byte('I'), int32(5), tuple('N', ['1', 'é', AT, '{a,"b c"}'])]);
const update = Buffer.concat([
  byte('U'),
  int32(5),
  tuple('K', ['1', null, null, null]),
  tuple('N', ['2', undefined, AT, null]),
]);
const remove = Buffer.concat([byte('D'), int32(5), tuple('K', ['2', null, null, null])]);

function newDecoder(isWanted = () => true): PgOutputDecoder {
  const types = new TypeCatalog();
  return new PgOutputDecoder({ describe: (message) => planRelation(message, types), isWanted });
}

function decodeAll(messages: readonly Buffer[], decoder = newDecoder()): ChangeEvent[] {
  const events: ChangeEvent[] = [];
  for (const message of messages) expect(decoder.decode(message, events)).toBeUndefined();
  return events;
}

const SESSION = [begin, origin, type, relation, insert, update, remove, truncate, commit, logical];

test('a transaction becomes events', () => {
  const events = decodeAll(SESSION);
  const table = events.flatMap((event) => (event.kind === 'table' ? [event.table] : []))[0];
  expect(events).toEqual([
    { kind: 'begin', transactionId: '77', commitPosition: '00000001/00000010' },
    { kind: 'table', table },
    { kind: 'insert', table, row: [1n, 'é', '2031-07-08T09:10:11.250000Z', '["a","b c"]'] },
    {
      kind: 'update',
      table,
      before: [1n, null, null, null],
      row: [2n, expect.any(Symbol), '2031-07-08T09:10:11.250000Z', null],
    },
    { kind: 'delete', table, before: [2n, null, null, null] },
    { kind: 'truncate', tables: [table] },
    { kind: 'commit', position: '00000001/00000040', committedAtMs: Date.UTC(2000, 0, 1) + 1234 },
    { kind: 'idle', position: '00000002/00000000', marked: true },
  ]);
});

test('values of unwanted tables are not even looked at', () => {
  const broken = Buffer.concat([byte('I'), int32(5), byte('?')]);
  const events = decodeAll(
    [begin, relation, broken, truncate, commit],
    newDecoder(() => false),
  );
  expect(events.map(({ kind }) => kind)).toEqual(['begin', 'commit']);
});

describe('refuses', () => {
  test.each<[string, readonly Buffer[]]>([
    ['a change outside transactions', [relation, insert]],
    ['a commit outside transactions', [commit]],
    ['a begin within a transaction', [begin, begin]],
    ['a truncate outside transactions', [relation, truncate]],
    ['a change of an unknown relation', [begin, insert]],
    ['a truncate of an unknown relation', [begin, truncate]],
    ['an empty message', [Buffer.alloc(0)]],
    ['streamed transactions', [Buffer.concat([byte('S'), int32(1), int8(1)])]],
    ['stream commits', [Buffer.concat([byte('c'), int32(1)])]],
    ['stream aborts', [Buffer.concat([byte('A'), int32(1)])]],
    ['prepared transactions', [Buffer.concat([byte('P'), int32(1)])]],
    ['an insert without a row', [begin, relation, Buffer.concat([byte('I'), int32(5), byte('X')])]],
    ['an old row only', [begin, relation, update.subarray(0, 30)]],
    ['a delete without a row', [begin, relation, Buffer.concat([byte('D'), int32(5), byte('N')])]],
    [
      'an insert that leaves a value out',
      [
        begin,
        relation,
        Buffer.concat([byte('I'), int32(5), tuple('N', ['1', undefined, null, null])]),
      ],
    ],
    [
      'another number of columns',
      [begin, relation, Buffer.concat([byte('I'), int32(5), tuple('N', ['1'])])],
    ],
    ['bytes behind the end', [begin, relation, Buffer.concat([insert, byte('x')])]],
    [
      'a value of the wrong form',
      [begin, relation, Buffer.concat([byte('I'), int32(5), tuple('N', ['x', null, null, null])])],
    ],
  ])('%s', (_, messages) => {
    const expected: unknown = expect.objectContaining({ code: 'SOURCE_PROTOCOL' });
    expect(() => decodeAll(messages)).toThrow(expect.any(SourceError));
    expect(() => decodeAll(messages)).toThrow(expected as Error);
  });

  test('every message that is cut off, wherever', () => {
    for (const [index, message] of SESSION.entries()) {
      for (let length = 0; length < message.length; length++) {
        const messages = [...SESSION.slice(0, index), message.subarray(0, length)];
        expect(() => decodeAll(messages), `message ${index}, ${length} bytes`).toThrow(SourceError);
      }
    }
  });
});

test('errors carry no row data', () => {
  const secret = Buffer.concat([byte('I'), int32(5), tuple('N', ['1', null, 'topsecret', null])]);
  try {
    decodeAll([begin, relation, secret]);
    expect.unreachable();
  } catch (error) {
    const { message, details, cause } = error as SourceError;
    expect(JSON.stringify([message, details, cause ?? null])).not.toContain('topsecret');
  }
});

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

test(`random damage is refused or gives a result, and never reads beyond the message (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  let refused = 0;
  for (let round = 0; round < 6_000; round++) {
    const index = random.int(SESSION.length);
    const damaged = damage(SESSION[index] ?? begin, random);
    const messages = [...SESSION.slice(0, index), damaged];
    // The same bytes amid different neighbours: whoever reads beyond them sees a difference.
    const inZeros = outcome(messages.map((message) => surround(message, 0)));
    const inLetters = outcome(messages.map((message) => surround(message, 0x74)));
    expect(inLetters, damaged.toString('hex')).toEqual(inZeros);
    if (inZeros instanceof SourceError) {
      expect(inZeros.code).toBe('SOURCE_PROTOCOL');
      refused++;
    } else {
      expect(Array.isArray(inZeros), `${String(inZeros)} ${damaged.toString('hex')}`).toBe(true);
    }
  }
  expect(refused).toBeGreaterThan(1_500);
}, 120_000); // the rounds bound the work: a few seconds on an idle machine

function damage(message: Buffer, random: SeededRandom): Buffer {
  const damaged = Buffer.from(message);
  for (let left = 1 + random.int(3); left > 0; left--) {
    damaged[random.int(damaged.length)] = random.int(2)
      ? random.int(256)
      : ([0, 0x7f, 0xff, 0x80][random.int(4)] ?? 0);
  }
  return random.int(4) ? damaged : damaged.subarray(0, random.int(damaged.length + 1));
}

function surround(message: Buffer, neighbour: number): Buffer {
  const around = Buffer.alloc(message.length + 64, neighbour);
  message.copy(around, 32);
  return around.subarray(32, 32 + message.length);
}

function outcome(messages: readonly Buffer[]): unknown {
  try {
    return decodeAll(messages);
  } catch (error) {
    return error;
  }
}

test('every control message is parsed to its end', () => {
  for (const message of [begin, commit, origin, type, relation, truncate, logical]) {
    expect(() => parseMessage(Buffer.concat([message, byte('x')]))).toThrow(SourceError);
  }
});
