import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineError } from '../line-error.ts';
import { decodeJsonLine } from './decode-line.ts';

/** A line of data in which `data` of each operation is the given JSON. */
const lineOf = (...rows: readonly string[]) =>
  `{"data":{"bucket":"b","after":"0","has_more":false,"data":[${rows
    .map(
      (row, at) =>
        `{"op_id":"${at + 1}","op":"${row === 'null' ? 'REMOVE' : 'PUT'}","object_type":"t","object_id":"${at}","checksum":${at},"subkey":"s","data":${row}}`,
    )
    .join(',')}],"next_after":"${rows.length}"}}`;

const dataOf = (text: string) => {
  const line = decodeJsonLine(text);
  return line?.kind === 'data' ? line.ops.map((op) => ('data' in op ? op.data : undefined)) : [];
};

// spec/protocol.md 2.4, the last paragraph of 11.5
describe('rows that a service embeds in a line', () => {
  test.each([
    ['numbers of any size', '{"n":9007199254740993,"r":2.0,"e":1e-7}'],
    ['texts with braces, quotes and escapes', String.raw`{"a":"}]{[\"","b":"\\","c":"\u00e9"}`],
    ['objects and arrays', '{"a":{"b":[{"c":[]}]}}'],
    ['none of it', '{}'],
    ['spaces', '{ "a" : 1 }'],
  ])('are the same text as they were written: %s', (_, row) => {
    expect(dataOf(lineOf('null', row, 'null', row))).toEqual([undefined, row, undefined, row]);
  });

  test('are the same as rows that are sent as text, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), (rows) => {
        const texts = rows.map((row) => JSON.stringify(row));
        expect(decodeJsonLine(lineOf(...texts))).toEqual(
          decodeJsonLine(lineOf(...texts.map((text) => JSON.stringify(text)))),
        );
      }),
    );
  });

  test.each(['[1]', '5', 'true'])('are objects, not %s', (row) => {
    expect(() => decodeJsonLine(lineOf(row))).toThrow(LineError);
  });
});
