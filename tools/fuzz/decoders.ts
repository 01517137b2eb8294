import { parseArgs } from 'node:util';
import { fuzzDecoder } from './decoders/fuzz.ts';
import { TARGETS } from './decoders/targets.ts';

// `npm run fuzz:decoders -- --count 100000 --seed 7 --only JWT`: damaged input for every decoder.
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
console.log(`seed ${seed}`);
for (const target of TARGETS.filter(({ name }) => name.includes(values.only))) {
  const report = await fuzzDecoder(target, { count: Number(values.count), seed });
  const { accepted, refused, failures, slowestMs, greediestMib } = report;
  console.log(
    `${target.name}: ${accepted} accepted, ${refused} refused, ${failures.length} failures; slowest ${slowestMs} ms, greediest ${greediestMib} MiB`,
  );
  for (const { input, problem } of failures) console.log(`  ${input}\n    ${problem}`);
  if (failures.length > 0) process.exitCode = 1;
}
