import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import { until } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SmallWorld } from './support/small-world.ts';

let dir: string;
let postgres: LocalPostgres;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-lost-'));
  postgres = await LocalPostgres.start({
    dataDir: path.join(dir, 'postgres'),
    fast: true,
    settings: { max_slot_wal_keep_size: '16MB', max_wal_size: '32MB', min_wal_size: '32MB' },
  });
});

afterAll(async () => {
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

const DROP_SLOTS = `DO $$
  DECLARE slot record;
  BEGIN
    FOR slot IN SELECT slot_name, active_pid FROM pg_replication_slots WHERE database = current_database() LOOP
      IF slot.active_pid IS NOT NULL THEN
        PERFORM pg_terminate_backend(slot.active_pid, 5000);
      END IF;
      PERFORM pg_drop_replication_slot(slot.slot_name);
    END LOOP;
  END $$`;

describe('the source is read again, and clients are served meanwhile, when the slot', () => {
  test('is dropped while the service runs', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'dropped_running' });
    await world.seed();
    const client = await world.start();
    await world.expectSynced(client);
    const old = await world.slots();
    await using held = await world.holdUp();
    await world.sql(DROP_SLOTS);
    await world.service.untilLogged(/warn +generation_lost .*SOURCE_SLOT_LOST/);
    await world.sql(`DELETE FROM notes; INSERT INTO notes VALUES ('unseen', 'yet')`);
    const late = world.connect();
    await until('old rows are served', () => late.rows('notes').length === 1);
    expect([...late.rows('notes'), client.connections]).toMatchObject([{ id: 'first' }, 1]);
    await held.release();
    await world.expectSynced(client);
    await world.expectSynced(late);
    await world.expectNewSlot(old);
    await world.service.untilLogged(/generation_removed +generation=1/);
    await world.note('afterwards');
    await world.expectSynced(client);
  });

  test('is dropped while the service is stopped', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'dropped_stopped' });
    await world.seed();
    const client = await world.start();
    await world.expectSynced(client);
    const old = await world.slots();
    await world.service.stop();
    await world.sql(DROP_SLOTS, `DELETE FROM notes; INSERT INTO notes VALUES ('new', 'one')`);
    world.service.start();
    await world.expectSynced(client);
    await world.expectNewSlot(old);
  });

  test('is invalidated while the service is stopped', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'invalidated' });
    await world.seed();
    const client = await world.start();
    await world.expectSynced(client);
    const old = await world.slots();
    await world.service.stop();
    await until('the slot is given up', async () => {
      await world.sql(
        `SELECT pg_logical_emit_message(false, 'x', repeat('x', 8000000))`,
        'SELECT pg_switch_wal()',
        'CHECKPOINT',
      );
      const [slot] = await world.sql(
        'SELECT wal_status FROM pg_replication_slots WHERE database = current_database()',
      );
      return slot?.['wal_status'] === 'lost';
    });
    await world.sql(`DELETE FROM notes; INSERT INTO notes VALUES ('new', 'one')`);
    world.service.start();
    await world.expectSynced(client);
    await world.expectNewSlot(old);
  });

  test('is dropped again and again', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'dropped_often' });
    await world.seed();
    const client = await world.start();
    for (let i = 0; i < 3; i += 1) {
      await world.sql(DROP_SLOTS);
      await world.note(`note ${i}`);
      await world.expectSynced(client);
    }
    await world.expectNewSlot([]);
  });
});
