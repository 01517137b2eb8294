import { SeededRandom } from '@sluice/testing';
import { expect, test } from 'vitest';
import { MemoryFiles } from '../storage/memory-files.ts';
import { WebVfs } from '../storage/web-vfs.ts';
import { testModule } from '../testing/test-module.ts';
import { openWasmConnection } from './open-wasm-connection.ts';

/** Bulk filling rests on it (staged-ops.ts of @sluice/client); of numbers with an exponent this SQLite reads one in six a bit off. */
test('SQLite reads every number of a JSON text that has no exponent as JavaScript does', async () => {
  const module = await testModule();
  const vfs = new WebVfs(module, { name: 'numbers', files: new MemoryFiles(), onFault: () => {} });
  const connection = openWasmConnection(module, { file: 'data', vfs: vfs.name, readonly: false });
  const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
  const random = new SeededRandom(seed);
  const numbers = Array.from(
    { length: 50_000 },
    () => (random.int(2 ** 32) / 2 ** 32 - 0.5) * 10 ** (random.int(26) - 5) + random.int(1000) / 7,
  ).filter((number) => !String(number).includes('e'));
  const text = `[${numbers.map((number) => `{"n":${number}}`).join(',')}]`;
  const read = connection.prepare(`SELECT value ->> '$.n' FROM jsonb_each(?)`).all([text]);
  connection.close();
  const wrong = numbers.filter((number, at) => Number(read[at]?.[0]) !== number);
  expect(wrong, `seed ${seed}`).toEqual([]);
});
