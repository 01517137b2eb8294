import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalParams } from './canonical-params.ts';

test.each<[params: Parameters<typeof canonicalParams>[0], text: string]>([
  [null, 'null'],
  [undefined, 'null'],
  [{}, 'null'],
  [{ a: undefined }, 'null'],
  [{ b: 1, a: { d: [true, null], c: 'x"y' } }, '{"a":{"c":"x\\"y","d":[true,null]},"b":1}'],
  [{ n: 9007199254740993n }, '{"n":9007199254740993}'],
])('%o is %s', (params, text) => {
  expect(canonicalParams(params)).toBe(text);
});

test('the order of keys does not matter, and nothing gets lost', () => {
  const json = fc.jsonValue({ maxDepth: 2 });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json, { minKeys: 1 }), (params) => {
      const reversed = Object.fromEntries(Object.entries(params).toReversed());
      expect(canonicalParams(reversed)).toBe(canonicalParams(params));
      expect(JSON.parse(canonicalParams(params))).toEqual(JSON.parse(JSON.stringify(params)));
    }),
    { seed: 20_261_125, numRuns: 100 },
  );
});

test.each([[NaN], [Infinity], [new Date()], [() => 1], [Symbol('s')], [new Map()], [[undefined]]])(
  'no JSON: %s',
  (value) => {
    expect(() => canonicalParams({ value })).toThrow(
      expect.objectContaining({ code: 'PARAMETER' }),
    );
  },
);
