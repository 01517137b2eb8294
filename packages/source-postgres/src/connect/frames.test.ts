import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeServerMessage,
  encodeCopyData,
  encodeQuery,
  FrameAssembler,
  frameEnd,
} from './frames.ts';

/** Cuts bytes into pieces of the given sizes, over and over. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

test('gives back the same bytes in whole frames, however a socket cuts them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }),
      (bodies, sizes) => {
        const sent = Buffer.concat(bodies.map((body) => encodeCopyData(Buffer.from(body))));
        const assembler = new FrameAssembler();
        const blocks = cut(sent, sizes)
          .map((piece) => assembler.push(piece))
          .filter((block) => block !== undefined);
        for (const block of blocks) {
          let at = 0;
          while (at < block.length) at = frameEnd(block, at);
          expect(at).toBe(block.length);
        }
        expect(Buffer.concat(blocks).equals(sent)).toBe(true);
      },
    ),
  );
});

test('refuses a length that no message can have', () => {
  expect(() => new FrameAssembler().push(Buffer.from([0x64, 0, 0, 0, 3, 0]))).toThrow(
    expect.objectContaining({ code: 'SOURCE_PROTOCOL' }),
  );
});

test('reads the SQLSTATE and the message of an error', () => {
  const body = Buffer.from('SERROR\0VERROR\0C42704\0Mrole "ä" does not exist\0\0');
  expect(decodeServerMessage(body, 0, body.length)).toMatchObject({
    code: '42704',
    severity: 'ERROR',
    message: 'role "ä" does not exist',
  });
});

test('a query is a Q frame that a zero byte ends', () => {
  expect(encodeQuery('SELECT 1').toString('latin1')).toBe('Q\0\0\0\rSELECT 1\0');
});
