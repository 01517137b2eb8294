import Database from 'better-sqlite3';
import type { SqliteValue } from '@sluice/model';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, it } from 'vitest';
import { randomInteger, randomReal, randomText } from '../testing/fuzz/nasty-values.ts';
import { keyText, splitKeyTexts } from './key-text.ts';

// A row is filed under the text of its key and found by the text of the request's value: texts must
// be equal exactly where SQLite says that the values are.

const EDGES: readonly SqliteValue[] = [
  2n ** 63n - 1n, 2 ** 63, -(2n ** 63n), -(2 ** 63), 2n ** 53n + 1n, 2 ** 53, 2n ** 53n, 0, -0, 0n,
  Infinity, -Infinity, 1e308, '0', '', '1e999', 'Infinity', '\u{1f600}', '\uffff', 5e-324, 0.1, 0.1 + 0.2,
]; // prettier-ignore

describe('key texts', () => {
  it('are equal exactly when SQLite calls the values equal', () => {
    const seed = 20_261_125;
    const random = new SeededRandom(seed);
    const values = [
      ...EDGES,
      ...Array.from({ length: 60 }, () => randomInteger(random)),
      ...Array.from({ length: 60 }, () => randomReal(random)),
      ...Array.from({ length: 60 }, () => randomText(random)),
    ];
    const database = new Database(':memory:');
    const equal = database.prepare<SqliteValue[], number>('SELECT ? = ?').pluck();
    const wrong = values.flatMap((a) =>
      values
        .filter((b) => (keyText(a) === keyText(b)) !== (equal.get(a, b) === 1))
        .map((b) => [a, b]),
    );
    expect({ seed, wrong }).toEqual({ seed, wrong: [] });
  });

  it.each([[null], [new Uint8Array([1])], [Number.NaN]])('do not exist for %s', (value) => {
    expect(keyText(value)).toBeUndefined();
  });

  it('are found again in a list of them', () => {
    const texts = EDGES.map((value) => keyText(value) ?? '');
    expect(splitKeyTexts(`[${texts.join(',')}]`)).toEqual(texts);
  });
});
