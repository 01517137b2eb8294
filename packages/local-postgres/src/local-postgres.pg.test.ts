import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readlink, rm, utimes, writeFile } from 'node:fs/promises';
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

test('leaves a stranger alone that has the process id of a server of long ago', async () => {
  const parent = await mkdtemp(path.join(tmpdir(), 'sluice-pg-'));
  const stranger = spawn('sleep', ['100'], { stdio: 'ignore' });
  try {
    const options = { dataDir: path.join(parent, 'postgres'), fast: true };
    const first = await LocalPostgres.start(options);
    await first.stop();
    await writeFile(path.join(first.dataDir, 'postmaster.pid'), `${stranger.pid}\n`);
    const second = await LocalPostgres.start(options);
    await second.stop();
    expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
  } finally {
    stranger.kill();
    await rm(parent, { recursive: true, force: true });
  }
});

const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)('as root, removes relocated data once its folder is gone', async () => {
  const parent = await mkdtemp(path.join(tmpdir(), 'sluice-pg-')); // only root may enter it
  const dataDir = path.join(parent, 'postgres');
  try {
    const first = await LocalPostgres.start({ dataDir, fast: true });
    await first.ensureDatabase('app');
    await first.stop();
    expect(await readlink(dataDir)).toBe(first.dataDir);
    await rm(dataDir);
    const again = await LocalPostgres.start({ dataDir, fast: true });
    expect(await again.ensureDatabase('app'), 'a removed folder begins anew').toBe('created');
    await again.stop();

    const long = new Date(Date.now() - 3_600_000);
    await utimes(path.join(first.dataDir, '..', 'wanted'), long, long);
    await rm(dataDir);
    const other = await LocalPostgres.start({ dataDir: path.join(parent, 'other'), fast: true });
    await other.stop();
    expect(existsSync(first.dataDir)).toBe(false);
    expect(existsSync(other.dataDir)).toBe(true);
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});
