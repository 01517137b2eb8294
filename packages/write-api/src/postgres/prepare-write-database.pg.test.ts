import { silentLogger } from '@sluice/base';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DEFAULT_WRITE_API } from '../config/write-api-config.ts';
import { WriteApiWorld } from '../testing/write-api-world.ts';
import { prepareWriteDatabase } from './prepare-write-database.ts';

let world: WriteApiWorld;
beforeAll(async () => {
  world = await WriteApiWorld.start();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(() => world.reset(''));

const OURS = `SELECT to_regclass('sluice.uploads')::text AS seen,
  to_regclass('public.sluice_rejected_writes')::text AS rejected`;

const prepare = (database: pg.Pool) =>
  prepareWriteDatabase({ database, config: DEFAULT_WRITE_API, logger: silentLogger });

test('makes the tables of the write API, also when several processes start together', async () => {
  expect(await world.rows(OURS)).toEqual([{ seen: null, rejected: null }]);
  await Promise.all([prepare(world.pool), prepare(world.pool), prepare(world.pool)]);
  expect(await world.rows(OURS)).toEqual([
    { seen: 'sluice.uploads', rejected: 'sluice_rejected_writes' },
  ]);
  await prepare(world.pool);
});

test('says which statements to run where the role may not', async () => {
  await world.pool.query('DROP ROLE IF EXISTS limited; CREATE ROLE limited');
  const limited = new pg.Pool({
    connectionString: world.scratch.server.url(),
    options: '-c role=limited',
    max: 1,
  });
  try {
    await expect(prepare(limited)).rejects.toMatchObject({
      code: 'UPLOAD_SETUP',
      remedy: expect.stringMatching(/CREATE SCHEMA.*sluice/) as string,
    });
  } finally {
    await limited.end();
  }
});

test('waits for no lock for ever', { timeout: 30_000 }, async () => {
  const other = await world.pool.connect();
  try {
    await other.query('BEGIN; CREATE SCHEMA sluice');
    await expect(prepare(world.pool)).rejects.toMatchObject({ code: '55P03' });
  } finally {
    await other.query('ROLLBACK');
    other.release();
  }
});
