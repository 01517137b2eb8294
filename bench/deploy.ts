import { parseArgs } from 'node:util';
import { conditions, withBenchWorld } from './bench-world.ts';
import { memoryMb } from './harness.ts';
import { createDeployTables, DEPLOY_CONFIG, measureDeploy } from './workloads/deploy.ts';

/**
 * `npm run bench -- --only deploy --rows N`: adds a stream over a table of N / 50 rows to a config
 * with N operations elsewhere, while a client is connected.
 */
const { values: options } = parseArgs({
  options: { rows: { type: 'string', default: '200000' }, only: { type: 'string' } },
});
const rows = Number(options.rows);
const newRows = Math.ceil(rows / 50);

const world = { syncConfig: '', config: DEPLOY_CONFIG };
await withBenchWorld(world, async ({ service, sql, issuer }) => {
  await createDeployTables(sql, { rows, newRows });
  service.start();
  const figures = await measureDeploy({ service, sql, issuer });
  const memory = await memoryMb(service.pid ?? 0);
  console.log({ ...conditions(), rows, newRows });
  console.table({ ...figures, peakMemoryMb: memory.peak });
});
