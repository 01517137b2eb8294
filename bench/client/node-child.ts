import { parseArgs } from 'node:util';
import { memoryMb, type Figure } from '../harness.ts';
import type { Access, BenchedClient } from './benched-client.ts';
import { addPadding, firstQuery, measureLocal, measureSync } from './workload.ts';

/** One client in a process of its own; prints its figures as JSON. */
const { values } = parseArgs({
  options: {
    client: { type: 'string', default: 'sluice' },
    phase: { type: 'string', default: 'sync' },
    file: { type: 'string', default: '' },
    access: { type: 'string', default: '{}' },
    rows: { type: 'string', default: '0' },
    inserts: { type: 'string', default: '0' },
    megabytes: { type: 'string', default: '0' },
    /** Ours in the process's own thread, where `--cpu-prof` sees it. */
    caller: { type: 'boolean', default: false },
  },
});

async function open(): Promise<BenchedClient> {
  const access = JSON.parse(values.access) as Access;
  return values.client === 'sluice' ? openSluice(access) : openPowerSync(access);
}

async function openSluice(access: Access): Promise<BenchedClient> {
  const { openDatabase } = await import('@sluice/client-node');
  const { SluiceClient, SLUICE_SCHEMA } = await import('./sluice-client.ts');
  const db = await openDatabase({
    file: values.file,
    schema: SLUICE_SCHEMA,
    ...(values.caller && { thread: 'caller' as const }),
  });
  return new SluiceClient(db, access);
}

/** As many readers as ours has; its default is five. */
async function openPowerSync(access: Access): Promise<BenchedClient> {
  const { PowerSyncDatabase } = await import('@powersync/node');
  const { PowerSyncClient, POWERSYNC_SCHEMA } = await import('./powersync-client.ts');
  const db = new PowerSyncDatabase({
    schema: POWERSYNC_SCHEMA,
    database: { dbFilename: values.file, readWorkerCount: 2 },
  });
  await db.waitForReady();
  return new PowerSyncClient(db, access);
}

async function syncPhase(): Promise<Figure[]> {
  const client = await open();
  const opened = await memoryMb(process.pid);
  const cpuBefore = process.cpuUsage();
  const figures = await measureSync(client, Number(values.rows));
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpu = { name: 'first sync, processor time', unit: 's', higherIsBetter: false };
  figures.push({ ...cpu, value: (user + system) / 1e6 });
  const synced = await memoryMb(process.pid);
  const inserts = Number(values.inserts);
  if (inserts > 0)
    figures.push(...(await measureLocal(client, { rows: Number(values.rows), inserts })));
  await addPadding(client, Number(values.megabytes));
  await client.close();
  const memory = (name: string, value: number): Figure => ({
    name,
    unit: 'MB',
    value,
    higherIsBetter: false,
  });
  figures.push(memory('memory of the process, open', opened.now));
  figures.push(memory('memory of the process, peak of the first sync', synced.peak));
  return figures;
}

async function coldPhase(): Promise<Figure[]> {
  const startedAt = performance.now();
  const client = await open();
  await firstQuery(client);
  const value = performance.now() - startedAt;
  await client.close();
  return [{ name: 'cold start to the first rows', unit: 'ms', value, higherIsBetter: false }];
}

const figures = await (values.phase === 'cold' ? coldPhase() : syncPhase());
process.stdout.write(`${JSON.stringify(figures)}\n`);
// A thread that does not end by itself is not waited for.
setTimeout(() => process.exit(0), 5000).unref();
