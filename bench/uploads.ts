import { parseArgs } from 'node:util';
import { conditions, withBenchWorld } from './bench-world.ts';
import { memoryMb, type Figure } from './harness.ts';
import { printTable } from './table.ts';
import { measureUploads, UPLOAD_SYNC_CONFIG, UPLOAD_TABLES } from './workloads/uploads.ts';

/** `npm run bench -- --only uploads [--cpu-prof DIR]`: the write API, as the service serves it. */
const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    'cpu-prof': { type: 'string' },
    seconds: { type: 'string', default: '8' },
  },
});
const world = {
  syncConfig: UPLOAD_SYNC_CONFIG,
  config: { write_api: { max_pool_size: 16 } },
  profile: options['cpu-prof'],
};
await withBenchWorld(world, async ({ service, sql, issuer, databaseUrl: url }) => {
  await sql.query(UPLOAD_TABLES);
  service.start();
  await service.untilReady();
  const figures: Figure[] = [];
  const seconds = Number(options.seconds);
  figures.push(...(await measureUploads({ service, sql, issuer, url, seconds })));
  const memory = await memoryMb(service.pid ?? 0);
  figures.push({ name: 'peak memory', unit: 'MB', value: memory.peak, higherIsBetter: false });
  printTable(conditions(), figures, []);
});
