import { SeededRandom } from '@sluice/testing';
import { expect, test } from 'vitest';
import { GatheredFile } from './gathered-file.ts';
import { MemoryFile } from './memory-files.ts';

function contentOf(file: MemoryFile): Uint8Array {
  const content = new Uint8Array(file.size());
  file.read(content, 0);
  return content;
}

function frameHeader(lastOf: number): Uint8Array {
  const header = new Uint8Array(24);
  new DataView(header.buffer).setUint32(4, lastOf);
  return header;
}

test('a log has a transaction as soon as the page of its last frame is written, and not before', () => {
  const under = new MemoryFile();
  const log = new GatheredFile(under, { isLog: true });
  const page = new Uint8Array(4096).fill(7);
  log.write(frameHeader(0), 32);
  log.write(page, 56);
  expect(under.size()).toBe(0);
  log.write(frameHeader(2), 4152);
  log.write(page, 4176);
  expect(under.size()).toBe(4176 + 4096);
  expect(contentOf(under).subarray(56, 4152)).toEqual(page);
});

test('whatever is done in whatever order, the file is as if nothing were put together', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
  const random = new SeededRandom(seed);
  const under = new MemoryFile();
  const expected = new MemoryFile();
  const file = new GatheredFile(under, { isLog: random.int(2) === 0 });
  let end = 0;
  for (let step = 0; step < 3000; step++) {
    const what = random.int(20);
    if (what < 15) {
      const at = random.int(4) === 0 ? random.int(200_000) : end;
      const bytes = new Uint8Array([24, 4096, 1, 70_000][random.int(4)] ?? 0).fill(step);
      file.write(bytes, at);
      expected.write(bytes, at);
      end = (at + bytes.length) % 400_000;
    } else if (what < 17) {
      const [one, other] = [new Uint8Array(5000), new Uint8Array(5000)];
      const at = random.int(400_000);
      expect(file.read(one, at), `seed ${seed}`).toBe(expected.read(other, at));
      expect(
        one.every((byte, index) => byte === other[index]),
        `seed ${seed}`,
      ).toBe(true);
    } else if (what === 17) {
      expect(file.size(), `seed ${seed}`).toBe(expected.size());
    } else if (what === 18) {
      const bytes = random.int(400_000);
      file.truncate(bytes);
      expected.truncate(bytes);
    } else {
      file.flush();
      expect(Buffer.compare(contentOf(under), contentOf(expected)), `seed ${seed}`).toBe(0);
    }
  }
});

test('what cannot be written is told by whoever writes it out, and does not keep others from reading', () => {
  const under = new MemoryFile();
  under.write(new Uint8Array(100).fill(1), 0);
  let isFull = true;
  const write = under.write.bind(under);
  under.write = (from, at) => {
    if (isFull) throw new DOMException('Full', 'QuotaExceededError');
    write(from, at);
  };
  const file = new GatheredFile(under, { isLog: false });
  file.write(new Uint8Array(10).fill(2), 100);
  expect(() => file.flush()).toThrow('Full');
  expect(file.read(new Uint8Array(10), 0)).toBe(10);
  isFull = false;
  file.write(new Uint8Array(10).fill(3), 100);
  file.flush();
  expect(contentOf(under).at(105)).toBe(3);
});
