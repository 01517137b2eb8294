import { parseArgs } from 'node:util';
import { formatReport, fuzz } from '../../packages/sync-config/src/testing/fuzz/fuzz.ts';

// `npm run fuzz:sql -- --count 1000000 --seed 7`: random SQL by our compiler and by SQLite.
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    edition: { type: 'string', default: '4' },
  },
});
const report = fuzz({
  count: Number(values.count),
  seed: values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed),
  edition: values.edition === '3' ? 3 : 4,
});
console.log(formatReport(report));
process.exitCode = report.differences.length === 0 ? 0 : 1;
