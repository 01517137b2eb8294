import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '@sluice/testing';
import { storingZstd, unpackFrames } from '../testing/zstd-frames.ts';
import { runtimeZstd } from './runtime-zstd.ts';
import { StreamEncoders } from './stream-encoders.ts';

const line = (text: string) => Buffer.from(`${text}\n`);

const COMPRESSIONS = [
  { name: 'gzip', encoding: 'gzip', zstd: undefined, unpack: gunzipSync, isMissing: false },
  { name: 'zstd', encoding: 'zstd', zstd: storingZstd, unpack: unpackFrames, isMissing: false },
  {
    name: 'zstd of this runtime',
    encoding: 'zstd',
    zstd: runtimeZstd(),
    unpack: unpackFrames,
    isMissing: runtimeZstd() === undefined,
  },
] as const;

describe.each(COMPRESSIONS)('lines in $name', ({ encoding, zstd, unpack, isMissing }) => {
  const encoders = new StreamEncoders(zstd);

  test.skipIf(isMissing)(
    'are put together and compressed once, for whoever gets the same ones',
    async () => {
      const [diff, data, complete] = [line('diff'), line('data'), line('complete')] as const;
      const all = await encoders.open(encoding).encode([diff, data, complete]);
      const again = await encoders.open(encoding).encode([diff, data, complete]);
      expect(all).toHaveLength(1);
      expect(again[0]).toBe(all[0]);
      const [plain] = await encoders.open('identity').encode([diff, data, complete]);
      expect((await encoders.open('identity').encode([diff, data, complete]))[0]).toBe(plain);
      const other = await encoders.open(encoding).encode([diff, data, line('another end')]);
      expect(other[0]).not.toBe(all[0]);
    },
  );

  test.skipIf(isMissing)('come out as they went in, whatever was put together before', async () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
    const random = new SeededRandom(seed);
    const pool = Array.from({ length: 12 }, (_, i) => line(`${i}`.repeat(1 + (i % 3) * 20_000)));
    for (let connection = 0; connection < 60; connection += 1) {
      const encoder = encoders.open(encoding);
      const sent: Uint8Array[] = [];
      const wire: Uint8Array[] = encoder.head ? [encoder.head] : [];
      for (let batch = 0; batch < 5; batch += 1) {
        const parts = Array.from({ length: 1 + random.int(4) }, () => random.pick(pool));
        sent.push(...parts);
        wire.push(...(await encoder.encode(parts)));
      }
      wire.push(encoder.tail() ?? Buffer.alloc(0));
      const unpacked = unpack(Buffer.concat(wire));
      expect(unpacked.equals(Buffer.concat(sent)), `seed ${seed}`).toBe(true);
    }
  });
});

test('zstd is offered where there is one', () => {
  expect(new StreamEncoders(undefined).supported).toEqual({ zstd: false });
  expect(new StreamEncoders(storingZstd).supported).toEqual({ zstd: true });
});
