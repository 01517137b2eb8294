import { Crowd } from '../crowd/crowd.ts';
import { memoryMb, type Figure } from '../harness.ts';
import { cpuSeconds } from '../process-figures.ts';
import type { HubWorld } from './hub-world.ts';

const WARM_UP_CLIENTS = 200;
const SETTLE_MS = 10_000;
const IDLE_MS = 30_000;

/** What connections cost that nothing happens on: memory each, and processor time of all. */
export async function measureIdle(
  world: HubWorld,
  { clients }: { readonly clients: number },
): Promise<readonly Figure[]> {
  await using crowd = new Crowd();
  const port = world.service.port;
  await sleep(3000);
  const alone = await memoryMb(world.pid);
  await crowd.connect({ port, tokens: world.tokens(WARM_UP_CLIENTS, 'warm') });
  await crowd.close();
  await sleep(SETTLE_MS);
  const before = await memoryMb(world.pid);
  const busyFrom = await cpuSeconds(world.pid);
  await crowd.connect({ port, tokens: world.tokens(clients) });
  const busy = (await cpuSeconds(world.pid)) - busyFrom;
  const justConnected = await memoryMb(world.pid);
  await sleep(SETTLE_MS);
  const idleFrom = await cpuSeconds(world.pid);
  await sleep(IDLE_MS);
  const idle = (await cpuSeconds(world.pid)) - idleFrom;
  const settled = await memoryMb(world.pid);
  const each = (mb: number): number => ((mb - before.now) * 1024) / clients;
  const lower = { higherIsBetter: false };
  return [
    { name: 'idle: memory of the service alone', unit: 'MB', value: alone.now, ...lower },
    { name: 'idle: memory before', unit: 'MB', value: before.now, ...lower },
    { name: `idle: memory with ${clients}`, unit: 'MB', value: settled.now, ...lower },
    { name: 'idle: memory per connection', unit: 'kB', value: each(settled.now), ...lower },
    { name: 'idle: the same at once', unit: 'kB', value: each(justConnected.now), ...lower },
    {
      name: 'idle: processor to connect one',
      unit: 'ms',
      value: (busy * 1000) / clients,
      ...lower,
    },
    {
      name: `idle: processor share with ${clients}`,
      unit: '%',
      value: (idle * 100_000) / IDLE_MS,
      ...lower,
    },
  ];
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
