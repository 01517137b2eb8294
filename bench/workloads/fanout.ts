import { Crowd } from '../crowd/crowd.ts';
import { median, percentile, type Figure } from '../harness.ts';
import { cpuSeconds, machineMs } from '../process-figures.ts';
import type { HubWorld } from './hub-world.ts';

const WARM_UP = 5;
const FANOUT_ROUNDS = 15;
const SINGLE_ROUNDS = 100;
/** The clock of processor time has steps of 10 ms, so that rounds are measured together. */
const PAUSE_MS = 200;

/** One change in a bucket that every client has: from the commit until the last has it. */
export async function measureFanout(
  world: HubWorld,
  { clients, gzip }: { readonly clients: number; readonly gzip: boolean },
): Promise<readonly Figure[]> {
  await using crowd = new Crowd();
  const tokens = world.tokens(clients);
  await crowd.connect({ port: world.service.port, tokens, gzip });
  const last: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round < WARM_UP + FANOUT_ROUNDS; round += 1) {
    const marker = `news-${round}-`;
    await crowd.watch(gzip ? '' : marker);
    const busyFrom = await cpuSeconds(world.pid);
    await world.sql.query('INSERT INTO news (body) VALUES ($1)', [marker]);
    const committedAt = machineMs();
    const arrivals = await crowd.arrivals(clients);
    await sleep(PAUSE_MS);
    if (round < WARM_UP) continue;
    last.push(Math.max(...arrivals) - committedAt);
    cpu.push((await cpuSeconds(world.pid)) - busyFrom);
  }
  const name = `fanout to ${clients}${gzip ? ', gzip' : ''}`;
  return [
    lower(`${name}: last client, median`, 'ms', median(last)),
    lower(`${name}: last client, least`, 'ms', Math.min(...last)),
    lower(`${name}: service's processor, mean`, 's', mean(cpu)),
    lower(`${name}: service's processor, least`, 's', Math.min(...cpu)),
  ];
}

/** A change that concerns one client of many, from the commit; among few clients for comparison. */
export async function measureSingle(
  world: HubWorld,
  { clients }: { readonly clients: number },
): Promise<readonly Figure[]> {
  await using one = new Crowd();
  await one.connect({ port: world.service.port, tokens: world.tokens(1) });
  const alone = await singleRounds(world, one);
  await using others = new Crowd();
  await others.connect({
    port: world.service.port,
    tokens: world.tokens(clients, 'user').slice(1),
  });
  const among = await singleRounds(world, one);
  return [
    lower(`single of 1: p50`, 'ms', median(alone.times)),
    lower(`single of 1: processor per change`, 'ms', alone.cpuMs),
    lower(`single of ${clients}: p50`, 'ms', median(among.times)),
    lower(`single of ${clients}: p99`, 'ms', percentile(among.times, 99)),
    lower(`single of ${clients}: processor per change`, 'ms', among.cpuMs),
  ];
}

async function singleRounds(
  { sql, pid }: HubWorld,
  crowd: Crowd,
): Promise<{ readonly times: readonly number[]; readonly cpuMs: number }> {
  const times: number[] = [];
  let busyFrom = 0;
  for (let round = 0; round < WARM_UP + SINGLE_ROUNDS; round += 1) {
    if (round === WARM_UP) busyFrom = await cpuSeconds(pid);
    const marker = `note-${machineMs()}-`;
    await crowd.watch(marker);
    await sql.query(`INSERT INTO notes (owner, body) VALUES ('user-0', $1)`, [marker]);
    const committedAt = machineMs();
    const [arrivedAt = Number.NaN] = await crowd.arrivals(1);
    if (round >= WARM_UP) times.push(arrivedAt - committedAt);
    await sleep(10);
  }
  return { times, cpuMs: (((await cpuSeconds(pid)) - busyFrom) * 1000) / SINGLE_ROUNDS };
}

function lower(name: string, unit: string, value: number): Figure {
  return { name, unit, value, higherIsBetter: false };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
