import { Crowd } from '../crowd/crowd.ts';
import { median, memoryMb, type Figure } from '../harness.ts';
import { cpuSeconds, machineMs } from '../process-figures.ts';
import { Probe } from './probe.ts';
import type { HubWorld } from './hub-world.ts';

const BUCKETS = 100_000;
const ROUNDS = 30;

/** One client with 100,000 buckets: its first checkpoint, and a change to one of them. */
export async function measureManyBuckets(world: HubWorld): Promise<readonly Figure[]> {
  const { sql, service, issuer, pid } = world;
  await sql.query(
    `INSERT INTO memberships (user_id, project) SELECT 'everything', i FROM generate_series(1, $1::int) AS i`,
    [BUCKETS],
  );
  await using probe = await Probe.start(world, issuer.token('user-0'));
  await using crowd = new Crowd();
  const busyFrom = await cpuSeconds(pid);
  let [firstMs] = [Number.NaN];
  const meanwhile = await probe.measure(async () => {
    [firstMs = Number.NaN] = await crowd.connect({
      port: service.port,
      tokens: [issuer.token('everything')],
    });
  });
  const firstCpu = (await cpuSeconds(pid)) - busyFrom;
  const times: number[] = [];
  const roundsFrom = await cpuSeconds(pid);
  for (let round = 0; round < ROUNDS; round += 1) {
    const marker = `many-${machineMs()}-`;
    await crowd.watch(marker);
    await sql.query('INSERT INTO tasks (project, body) VALUES ($1, $2)', [
      round * 1000 + 1,
      marker,
    ]);
    const committedAt = machineMs();
    const [arrivedAt = Number.NaN] = await crowd.arrivals(1);
    times.push(arrivedAt - committedAt);
  }
  const roundCpuMs = (((await cpuSeconds(pid)) - roundsFrom) * 1000) / ROUNDS;
  const joined = `joined-${machineMs()}-`;
  await crowd.watch(joined);
  await sql.query(
    `WITH member AS (INSERT INTO memberships (user_id, project) VALUES ('everything', 1000000))
     INSERT INTO tasks (project, body) VALUES (1000000, $1)`,
    [joined],
  );
  const joinedAt = machineMs();
  const [addedAt = Number.NaN] = await crowd.arrivals(1);
  const name = `${BUCKETS} buckets`;
  const lower = (what: string, unit: string, value: number): Figure => ({
    name: `${name}: ${what}`,
    unit,
    value,
    higherIsBetter: false,
  });
  return [
    lower('first checkpoint complete', 'ms', firstMs),
    lower("service's processor for it", 's', firstCpu),
    lower('another client meanwhile, most', 'ms', Math.max(...meanwhile)),
    lower('a change to one bucket, p50', 'ms', median(times)),
    lower("service's processor per change", 'ms', roundCpuMs),
    lower('a bucket more, until its data', 'ms', addedAt - joinedAt),
    lower('memory', 'MB', (await memoryMb(pid)).now),
  ];
}
