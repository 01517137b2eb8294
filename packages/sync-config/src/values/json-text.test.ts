import { SeededRandom } from '@sluice/testing';
import { describe, expect, it } from 'vitest';
import { integerText, jsonText } from './json-text.ts';

const PIECES = ['a', 'é', '"', '\\', '\n', '\u0000', '\u001f', '\u007f', '\u2028', '\ud83d', '\ude00', '\u{1F600}', '\ufffd', ' ']; // prettier-ignore

describe('jsonText', () => {
  it('is JSON.stringify', () => {
    const seed = 20_261_125;
    const random = new SeededRandom(seed);
    for (let i = 0; i < 2000; i++) {
      const text = Array.from({ length: random.int(130) }, () =>
        random.chance(0.97) ? 'x' : random.pick(PIECES),
      ).join('');
      expect({ seed, json: jsonText(text) }).toEqual({ seed, json: JSON.stringify(text) });
    }
    for (const piece of PIECES) expect(jsonText(piece)).toBe(JSON.stringify(piece));
  });
});

describe('integerText', () => {
  it.each([
    0n, 7n, -7n, 9007199254740991n, 9007199254740992n, 9007199254740993n, -9007199254740993n,
    9223372036854775807n, -9223372036854775808n,
  ])('keeps the digits of %s', (value) => {
    expect(integerText(value)).toBe(`${value}`);
  }); // prettier-ignore
});
