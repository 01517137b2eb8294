import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { LocalPostgres } from './index.ts';

test('starts on an empty folder, keeps its data, and takes over from a server left behind', async () => {
  const parent = await mkdtemp(path.join(tmpdir(), 'sluice-pg-'));
  const dataDir = path.join(parent, 'postgres');
  try {
    const first = await LocalPostgres.start({ dataDir, fast: true });
    expect(await first.ensureDatabase('app')).toBe('created');
    const second = await LocalPostgres.start({ dataDir, fast: true });
    expect(await second.ensureDatabase('app')).toBe('existed');
    const client = new pg.Client({ connectionString: second.url('app') });
    await client.connect();
    expect((await client.query('SHOW wal_level')).rows).toEqual([{ wal_level: 'logical' }]);
    await client.end();
    await second.stop();
    await first.stop();
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});
