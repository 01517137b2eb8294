import { memoryMb, type Figure } from '../harness.ts';
import { machineMs } from '../process-figures.ts';
import { Probe } from './probe.ts';
import type { HubWorld } from './hub-world.ts';

const ROW_BYTES = 1000;

/** One transaction of many rows: memory of the service, and another client that waits meanwhile. */
export async function measureBigTransaction(
  world: HubWorld,
  { megabytes }: { readonly megabytes: number },
): Promise<readonly Figure[]> {
  const { sql, issuer, pid } = world;
  await using probe = await Probe.start(world, issuer.token('user-0'));
  const rows = Math.ceil((megabytes * 1e6) / ROW_BYTES);
  const before = await memoryMb(pid);
  const startedAt = machineMs();
  await sql.query(
    `INSERT INTO tasks (project, body) SELECT i % 500, repeat(md5(i::text), 31)
     FROM generate_series(1, $1::int) AS i`,
    [rows],
  );
  const committedAt = machineMs();
  // Changes are published in the order of commits: the next one arrives after the transaction.
  const [behindMs = Number.NaN] = await probe.measure(async () => {});
  const after = await memoryMb(pid);
  const name = `transaction of ${megabytes} MB`;
  const lower = (what: string, unit: string, value: number): Figure => ({
    name: `${name}: ${what}`,
    unit,
    value,
    higherIsBetter: false,
  });
  return [
    lower('the database, until it is committed', 'ms', committedAt - startedAt),
    lower('replicated after the commit', 'ms', behindMs),
    lower('memory before', 'MB', before.now),
    lower('peak memory', 'MB', after.peak),
  ];
}
