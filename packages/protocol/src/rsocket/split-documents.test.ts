import { serialize } from 'bson';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { splitDocuments } from './split-documents.ts';

it('finds the documents, wherever the parts are cut', () => {
  const inputs = fc.record({
    values: fc.array(fc.string({ maxLength: 40 }), { maxLength: 6 }),
    cuts: fc.array(fc.nat(300), { maxLength: 12 }),
  });
  fc.assert(
    fc.property(inputs, ({ values, cuts }) => {
      const documents = values.map((value) => Buffer.from(serialize({ value })));
      const all = Buffer.concat(documents);
      const places = [0, ...cuts.filter((at) => at < all.length).toSorted((a, b) => a - b)];
      const parts = places.map((at, i) => all.subarray(at, places[i + 1] ?? all.length));
      const found = splitDocuments(parts).map((pieces) => Buffer.concat(pieces));
      expect(found).toEqual(documents);
    }),
    { seed: 20_261_125, numRuns: 2000 },
  );
});
