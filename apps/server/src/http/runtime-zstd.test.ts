import { expect, test } from 'vitest';
import { unpackFrames } from '../testing/zstd-frames.ts';
import { runtimeZstd } from './runtime-zstd.ts';

const zstd = runtimeZstd();

test('is there where Node.js brings the library, and not elsewhere', () => {
  expect(zstd !== undefined).toBe('zstd' in process.versions);
  expect(runtimeZstd({ deflateRaw: () => {} })).toBeUndefined();
});

test.skipIf(zstd === undefined)(
  'makes a frame of each part, the same beside the event loop',
  async () => {
    const part = Buffer.alloc(200_000, '{"op_id":"1","op":"PUT"}\n');
    const frame = zstd?.compressSync(part) ?? part;
    expect(Buffer.from(frame.subarray(0, 4)).toString('hex')).toBe('28b52ffd');
    expect(frame.byteLength).toBeLessThan(part.byteLength / 100);
    expect(await zstd?.compress(part)).toEqual(frame);
    const twice = Buffer.concat([frame, frame]);
    expect((await unpackFrames(twice)).equals(Buffer.concat([part, part]))).toBe(true);
  },
);
