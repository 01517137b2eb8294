import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openSqliteStorage } from '@sluice/storage-sqlite';
import { median, type Figure } from '../harness.ts';
import { Probe } from './probe.ts';
import type { HubWorld } from './hub-world.ts';

const ROWS = 10_000;
const OPS = 200_000;
const ROUNDS = 3;
const STEP_MS = 50;
const BATCH_ROWS = 2000;

/**
 * 200,000 operations over 10,000 rows, compacted by storage alone; then a service that replicates and
 * compacts some 27,000 updates of 10,000 rows while a client waits for changes of its own.
 */
export async function measureCompaction(world: HubWorld): Promise<readonly Figure[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await compactAlone());
  await using probe = await Probe.start(world, world.issuer.token('user-0'));
  const calm = await probe.measure(() => new Promise((resolve) => setTimeout(resolve, 3000)));
  await world.sql.query(
    `INSERT INTO tasks (project, body) SELECT 9, repeat(md5(i::text), 8) FROM generate_series(1, $1::int) AS i`,
    [ROWS],
  );
  const meanwhile = await probe.measure(async () => {
    for (let pass = 1; pass < OPS / ROWS; pass += 1) {
      await world.sql.query(
        'UPDATE tasks SET body = md5(body) || body WHERE project = 9 AND id % 7 = $1',
        [pass % 7],
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 10_000));
  });
  const lower = (what: string, unit: string, value: number): Figure => ({
    name: `compaction of ${OPS} ops: ${what}`,
    unit,
    value,
    higherIsBetter: false,
  });
  return [
    lower('median', 'ms', median(times)),
    lower('least', 'ms', Math.min(...times)),
    lower('another client, calm, median', 'ms', median(calm)),
    lower('another client beside updates and their compaction, median', 'ms', median(meanwhile)),
    lower('another client beside updates and their compaction, most', 'ms', Math.max(...meanwhile)),
  ];
}

async function compactAlone(): Promise<number> {
  const dir = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
  try {
    await using storage = await openSqliteStorage({ path: path.join(dir, 'storage.db') });
    const serving = { text: '', hash: 'h', prefixes: {}, deployedAtMs: 0 };
    const { id } = await storage.createGeneration({ configs: { serving }, createdAtMs: 0 });
    await using writer = await storage.openWriter(id);
    for (let op = 0; op < OPS; op += BATCH_ROWS) {
      const changes = Array.from({ length: BATCH_ROWS }, (_, i) => rowChange(op + i));
      const isLast = op + BATCH_ROWS >= OPS;
      await writer.write({ changes, resume: '', ...(isLast ? { checkpoint: '1' } : {}) });
    }
    const startedAt = performance.now();
    for (let more = true; more;) ({ more } = await writer.compact({ maxMs: STEP_MS }));
    return performance.now() - startedAt;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function rowChange(op: number) {
  const key = String(op % ROWS);
  const data = JSON.stringify({ id: key, version: op, body: 'lorem ipsum '.repeat(20) });
  const output = { objectType: 'tasks', objectId: key, data, buckets: ['1#tasks'] };
  const row = { outputs: [output], lookups: [] };
  return { kind: 'put' as const, tableId: 1, key, row };
}
