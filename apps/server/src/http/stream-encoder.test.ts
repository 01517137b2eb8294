import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '@sluice/testing';
import { gzipEncoder, identityEncoder } from './stream-encoder.ts';

const line = (text: string) => Buffer.from(`${text}\n`);

describe('lines that many connections are sent', () => {
  test('are put together and compressed once, for whoever gets the same ones', async () => {
    const [diff, data, complete] = [line('diff'), line('data'), line('complete')] as const;
    const all = await gzipEncoder().encode([diff, data, complete]);
    const again = await gzipEncoder().encode([diff, data, complete]);
    expect(all).toHaveLength(1);
    expect(again[0]).toBe(all[0]);
    const [plain] = await identityEncoder().encode([diff, data, complete]);
    expect((await identityEncoder().encode([diff, data, complete]))[0]).toBe(plain);
    const other = await gzipEncoder().encode([diff, data, line('another end')]);
    expect(other[0]).not.toBe(all[0]);
  });

  test('come out as they went in, whatever was put together before', async () => {
    const seed = 20_261_126;
    const random = new SeededRandom(seed);
    const pool = Array.from({ length: 12 }, (_, i) => line(`${i}`.repeat(1 + (i % 3) * 9000)));
    for (let connection = 0; connection < 200; connection += 1) {
      const encoder = gzipEncoder();
      const sent: Uint8Array[] = [];
      const wire: Uint8Array[] = encoder.head ? [encoder.head] : [];
      for (let batch = 0; batch < 5; batch += 1) {
        const parts = Array.from({ length: 1 + random.int(4) }, () => random.pick(pool));
        sent.push(...parts);
        wire.push(...(await encoder.encode(parts)));
      }
      wire.push(encoder.tail() ?? Buffer.alloc(0));
      expect(gunzipSync(Buffer.concat(wire)).equals(Buffer.concat(sent)), `seed ${seed}`).toBe(
        true,
      );
    }
  });
});
