import { Crowd } from '../crowd/crowd.ts';
import { median, memoryMb, percentile, type Figure } from '../harness.ts';
import { cpuSeconds, machineMs } from '../process-figures.ts';
import { Probe } from './probe.ts';
import type { HubWorld } from './hub-world.ts';

/** All clients connect at once, while another waits for changes of its own. */
export async function measureStorm(
  world: HubWorld,
  { clients }: { readonly clients: number },
): Promise<readonly Figure[]> {
  await using crowd = new Crowd();
  await using probe = await Probe.start(world, world.issuer.token('user-0'));
  const port = world.service.port;
  await crowd.connect({ port, tokens: world.tokens(200, 'warm') });
  await crowd.close();
  const calm = await probe.measure(() => sleep(3000));
  const tokens = world.tokens(clients + 1).slice(1);
  const before = await memoryMb(world.pid);
  const busyFrom = await cpuSeconds(world.pid);
  const startedAt = machineMs();
  let waits: readonly number[] = [];
  let tookMs = 0;
  const stormy = await probe.measure(async () => {
    waits = await crowd.connect({ port, tokens, atOnce: clients });
    tookMs = machineMs() - startedAt;
  });
  const cpu = (await cpuSeconds(world.pid)) - busyFrom;
  const after = await memoryMb(world.pid);
  const name = `storm of ${clients}`;
  const lower = (what: string, unit: string, value: number): Figure => ({
    name: `${name}: ${what}`,
    unit,
    value,
    higherIsBetter: false,
  });
  return [
    lower('until all have their checkpoint', 'ms', tookMs),
    lower('a client waits, median', 'ms', median(waits)),
    lower('a client waits, p99', 'ms', percentile(waits, 99)),
    lower("service's processor per client", 'ms', (cpu * 1000) / clients),
    lower('memory before', 'MB', before.now),
    lower('peak memory', 'MB', after.peak),
    lower('another client, calm, median', 'ms', median(calm)),
    lower('another client meanwhile, median', 'ms', median(stormy)),
    lower('another client meanwhile, most', 'ms', Math.max(...stormy)),
  ];
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
