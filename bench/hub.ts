import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { conditions } from './bench-world.ts';
import type { Figure } from './harness.ts';
import { printTable } from './table.ts';
import { measureBigTransaction } from './workloads/big-transaction.ts';
import { measureCompaction } from './workloads/compaction.ts';
import { measureFanout, measureSingle } from './workloads/fanout.ts';
import { withHubWorld, type HubWorld } from './workloads/hub-world.ts';
import { measureIdle } from './workloads/idle.ts';
import { measureManyBuckets } from './workloads/many-buckets.ts';
import { measureReconnect } from './workloads/reconnect.ts';
import { measureStorm } from './workloads/storm.ts';

/** Workloads with many connections; each has a database and a service of its own. */
const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    clients: { type: 'string' },
    megabytes: { type: 'string', default: '200' },
    json: { type: 'string' },
    'cpu-prof': { type: 'string' },
  },
});

const clients = (usual: number): number => Number(options.clients ?? usual);
const WORKLOADS: Readonly<Record<string, (world: HubWorld) => Promise<readonly Figure[]>>> = {
  idle: (world) => measureIdle(world, { clients: clients(10_000) }),
  fanout: async (world) => [
    ...(await measureFanout(world, { clients: clients(3000), gzip: false })),
    ...(await measureFanout(world, { clients: clients(3000), gzip: true })),
  ],
  single: (world) => measureSingle(world, { clients: clients(3000) }),
  reconnect: measureReconnect,
  'many-buckets': measureManyBuckets,
  compaction: measureCompaction,
  'big-transaction': (world) =>
    measureBigTransaction(world, { megabytes: Number(options.megabytes) }),
  storm: (world) => measureStorm(world, { clients: clients(5000) }),
};

const run = WORKLOADS[options.only ?? ''];
if (run === undefined) throw new Error(`--only one of ${Object.keys(WORKLOADS).join(', ')}`);
const figures = await withHubWorld(options['cpu-prof'], run);
printTable(conditions(), figures, []);
if (options.json !== undefined) {
  await writeFile(
    options.json,
    `${JSON.stringify({ conditions: conditions(), figures }, undefined, 2)}\n`,
  );
}
