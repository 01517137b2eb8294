import { writeSync } from 'node:fs';
import { must } from '@sluice/base';
import { SeededRandom } from '@sluice/testing';
import { openSqliteStorage } from '../sqlite-storage.ts';
import { discardedBefore, randomBatch } from './random-batches.ts';
import { NEW_GENERATION } from '../testing/new-generation.ts';

/**
 * A process to be killed: goes on with the history of a seed where the storage stands, and prints
 * the number of each batch once it is durable. Arguments: path of the storage, seed.
 */
const [path, seedText] = process.argv.slice(2);
const seed = Number(seedText);
const storage = await openSqliteStorage({
  path: must(path),
  rowStateLog: { maxRows: 100, maxBytes: 1 << 20, mergeRows: 10 },
});
const generation =
  (await storage.generations())[0] ?? (await storage.createGeneration(NEW_GENERATION));
const writer = await storage.openWriter(generation.id);
const { resume } = await writer.progress();
const random = new SeededRandom(seed + Number(resume ?? 0));
for (let n = resume === undefined ? 0 : Number(resume) + 1; ; n++) {
  const discarded = discardedBefore(n);
  // Now and then in one go, usually in so many steps that the process is killed between two.
  const maxMs = random.chance(0.2) ? 1000 : 0;
  while (discarded && (await writer.discard(discarded, { maxMs })).more) writeSync(1, 'discard\n');
  await writer.write(randomBatch(seed, n));
  writeSync(1, `${n}\n`);
  if (random.chance(0.2)) await writer.compact({ maxMs: random.int(20) });
}
