import { SeededRandom } from '@sluice/testing';
import { expect, test } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { tableOf } from '../../testing/tables.ts';
import { parseEntry } from '../entry-values.ts';

const COUNT = Number(process.env['SLUICE_DOUBLES'] ?? 50_000);

/** A million takes a minute or two: for whoever asks. */
const TIMEOUT_MS = 60_000 + COUNT;

/** Every bit pattern as likely as any other. */
function randomDoubles(random: SeededRandom, count: number): readonly number[] {
  const bits = new Uint32Array(2);
  const double = new Float64Array(bits.buffer);
  const doubles: number[] = [];
  while (doubles.length < count) {
    bits[0] = random.int(2 ** 32);
    bits[1] = random.int(2 ** 32);
    const [value = 0] = double;
    if (Number.isFinite(value)) doubles.push(value);
  }
  return doubles;
}

// spec/client.md 7.3 (4), 9
test(
  `${COUNT} random doubles come out of the queue as they went in, in the fewest digits`,
  { timeout: TIMEOUT_MS },
  () => {
    const db = testDatabase([tableOf('t', ['r REAL'])]);
    const doubles = randomDoubles(new SeededRandom(7), COUNT);
    db.session.executeBatch(
      'INSERT INTO t (id, r) VALUES (?, ?)',
      doubles.map((value, index) => [`r${index}`, value]),
    );
    const wrong = db.entries().filter((data, index) => {
      const { opData } = parseEntry({ id: 1, transactionId: 1, data });
      const shortest = data.includes(`"r":${doubles[index]}`);
      return opData?.['r'] !== doubles[index] || !shortest;
    });
    expect(wrong).toEqual([]);
  },
);

test.each<[value: unknown, type: string, json: string]>([
  [0, 'REAL', '0.0'],
  [-0, 'REAL', '0.0'], // as SQLite stores it
  [-3, 'REAL', '-3.0'],
  [1e21, 'REAL', '1e+21'],
  [5e-324, 'REAL', '5e-324'],
  [1.7976931348623157e308, 'REAL', '1.7976931348623157e+308'],
  [Infinity, 'REAL', 'null'],
  [9223372036854775807n, 'INTEGER', '9223372036854775807'],
  [-9223372036854775808n, 'INTEGER', '-9223372036854775808'],
  [9007199254740993n, 'INTEGER', '9007199254740993'],
  [2.5, 'INTEGER', '2.5'],
  [5, 'TEXT', '"5"'],
  [5, 'BLOB', '5'],
  [5.5, 'BLOB', '5.5'],
  [true, 'INTEGER', '1'],
  ['😀 "\\\u0001\n', 'TEXT', String.raw`"😀 \"\\\u0001\n"`],
  ['a\u0000b', 'TEXT', String.raw`"a\u0000b"`],
  [new Uint8Array([0, 255, 16]), 'BLOB', '"AP8Q"'],
  [new Uint8Array(20_000), 'BLOB', `"${Buffer.alloc(20_000).toString('base64')}"`],
])('%s in a column of type %s is queued exactly', (value, type, json) => {
  const db = testDatabase([tableOf('t', [`v ${type}`])]);
  db.session.execute('INSERT INTO t (id, v) VALUES (?, ?)', ['x', value]);
  expect(db.entries()).toEqual([`{"op":"PUT","id":"x","type":"t","data":{"v":${json}}}`]);
});
