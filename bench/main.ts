import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { conditions, withBenchWorld } from './bench-world.ts';
import { memoryMb, type Figure } from './harness.ts';
import { measureLimits } from './limits.ts';
import { createTables, fillDocuments, fillItems, SYNC_CONFIG } from './workloads/dataset.ts';
import { measureDownloads } from './workloads/downloads.ts';
import { measureLatency } from './workloads/latency.ts';
import { measureStreaming } from './workloads/streaming.ts';
import { printTable } from './table.ts';

const BASELINE = path.join(import.meta.dirname, 'baseline.json');

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    documents: { type: 'string', default: '100000' },
    only: { type: 'string' },
    'write-baseline': { type: 'boolean', default: false },
    json: { type: 'string' },
    'cpu-prof': { type: 'string' },
  },
});
const rows = Number(options.rows);
const documents = Number(options.documents);

const figures: Figure[] = [];
const add = (name: string, unit: string, value: number, higherIsBetter = true): void => {
  figures.push({ name, unit, value, higherIsBetter });
};
const wants = (workload: string): boolean =>
  options.only === undefined || options.only === workload;

const world = { syncConfig: SYNC_CONFIG, profile: options['cpu-prof'] };
await withBenchWorld(world, async ({ service, sql, issuer, databaseUrl, dir }) => {
  const version = await sql.query<{ server_version: string }>('SHOW server_version');
  const setting = {
    date: new Date().toISOString().slice(0, 10),
    ...conditions(),
    postgres: version.rows[0]?.server_version,
    rows,
    documents,
  };
  await createTables(sql);

  const emptyStartAt = performance.now();
  service.start();
  await service.untilReady();
  const emptyStartMs = performance.now() - emptyStartAt;
  add('start with an empty database', 'ms', emptyStartMs, false);
  await new Promise((resolve) => setTimeout(resolve, 3000)); // a settled process is what is measured
  add('idle memory', 'MB', (await memoryMb(service.pid ?? 0)).now, false);
  if (wants('latency')) figures.push(...(await measureLatency({ service, sql, issuer })));
  await service.stop();
  await rm(path.join(dir, 'storage.db'), { force: true });
  for (const suffix of ['-wal', '-shm'])
    await rm(path.join(dir, `storage.db${suffix}`), { force: true });

  await fillItems(sql, rows);
  await sql.query('VACUUM ANALYZE items');
  figures.push(...(await measureLimits(dir, sql, rows)));

  const startedAt = performance.now();
  service.start();
  await service.untilReady(600_000);
  const filledStartMs = performance.now() - startedAt;
  // Starting the process is a figure of its own.
  add('initial replication', 'rows/s', (rows * 1000) / (filledStartMs - emptyStartMs));
  add('initial replication, peak memory', 'MB', (await memoryMb(service.pid ?? 0)).peak, false);

  if (wants('streaming'))
    figures.push(...(await measureStreaming({ service, sql, issuer, databaseUrl })));
  if (wants('download')) {
    await fillDocuments(sql, documents);
    figures.push(...(await measureDownloads({ service, sql, issuer, documents })));
  }
  const memory = await memoryMb(service.pid ?? 0);
  add('memory at the end', 'MB', memory.now, false);

  const baseline = JSON.parse(await readFile(BASELINE, 'utf8').catch(() => '{"figures":[]}')) as {
    figures: Figure[];
  };
  printTable(setting, figures, baseline.figures);
  const result = `${JSON.stringify({ conditions: setting, figures }, undefined, 2)}\n`;
  if (options.json !== undefined) await writeFile(options.json, result);
  if (options['write-baseline']) await writeFile(BASELINE, result);
});
