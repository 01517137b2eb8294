import { expect, test } from 'vitest';
import { unpackFrames } from '../testing/zstd-frames.ts';
import { runtimeZstd } from './runtime-zstd.ts';

const zstd = runtimeZstd();

test('is there where Node.js brings the library, and not elsewhere', () => {
  expect(zstd !== undefined).toBe('zstd' in process.versions);
  expect(runtimeZstd({ deflateRaw: () => {} })).toBeUndefined();
});

test.skipIf(zstd === undefined)('makes a frame of a part, also beside the event loop', async () => {
  const part = Buffer.alloc(200_000, '{"op_id":"1","op":"PUT"}\n');
  const frame = zstd?.compressSync(part) ?? part;
  expect(Buffer.from(frame.subarray(0, 4)).toString('hex')).toBe('28b52ffd');
  expect(frame.byteLength).toBeLessThan(part.byteLength / 100);
  const beside = (await zstd?.compress(part)) ?? part;
  expect(beside.byteLength).toBeLessThan(part.byteLength / 100);
  const both = unpackFrames(Buffer.concat([frame, beside]));
  expect(both.equals(Buffer.concat([part, part]))).toBe(true);
});
