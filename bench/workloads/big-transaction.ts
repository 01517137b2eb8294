import { downloadAll, memoryMb, type Figure } from '../harness.ts';
import { machineMs } from '../process-figures.ts';
import { Probe } from './probe.ts';
import type { HubWorld } from './hub-world.ts';

const ROW_BYTES = 1000;
/** Between two first syncs of the others, so that they watch more than they load. */
const EVERY_MS = 100;

/** One transaction of many rows: memory of the service, and how others are served meanwhile. */
export async function measureBigTransaction(
  world: HubWorld,
  { megabytes }: { readonly megabytes: number },
): Promise<readonly Figure[]> {
  const { sql, issuer, pid, service } = world;
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
  let isReplicated = false;
  const behind = probe.measure(async () => {}).finally(() => (isReplicated = true));
  behind.catch(() => {}); // awaited below
  const downloads: number[] = [];
  while (!isReplicated) {
    const from = machineMs();
    await downloadAll(service, issuer.token('nobody'), 'application/x-ndjson');
    downloads.push(machineMs() - from);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  const [behindMs = Number.NaN] = await behind;
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
    lower(
      `longest of ${downloads.length} other first syncs meanwhile`,
      'ms',
      Math.max(...downloads),
    ),
    lower('memory before', 'MB', before.now),
    lower('peak memory', 'MB', after.peak),
  ];
}
