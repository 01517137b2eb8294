import { settle } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import {
  CLIENT_ID,
  LISTS,
  SPEC_LINES,
  SessionWorld,
  TODOS,
  specWorld,
} from '../../testing/session-world.ts';

const ALL = [
  SPEC_LINES.checkpoint,
  SPEC_LINES.lists,
  SPEC_LINES.partial,
  SPEC_LINES.todos,
  SPEC_LINES.complete,
];

function todos(world: SessionWorld): unknown {
  return world.database.query('SELECT id, title, qty FROM todos ORDER BY id');
}

describe('the session of spec/protocol.md 11.5', () => {
  test('asks as the spec says', async () => {
    const world = await specWorld();
    expect(world.service.stream.request).toEqual({
      buckets: [],
      include_checksum: true,
      raw_data: true,
      binary_data: true,
      client_id: CLIENT_ID,
      parameters: {},
      streams: {
        include_defaults: true,
        subscriptions: [
          { stream: 'todos', parameters: { list_id: 'L1' }, override_priority: null },
        ],
      },
    });
    expect(Object.fromEntries(world.service.stream.headers)).toMatchObject({
      authorization: 'Token token 1',
      'content-type': 'application/json',
      accept: 'application/x-ndjson;q=0.9,application/vnd.powersync.bson-stream;q=0.8',
    });
  });

  test('shows urgent rows first, then all, then the removal with the upload confirmed', async () => {
    const world = await specWorld();
    await world.send(SPEC_LINES.checkpoint, SPEC_LINES.lists, SPEC_LINES.partial);
    expect(world.database.query('SELECT id, name FROM lists')).toEqual([['L1', 'Groceries']]);
    expect(world.status.statusForPriority(1).hasSynced).toBe(true);
    expect(world.status.hasSynced).toBe(false);
    await world.send(SPEC_LINES.todos, SPEC_LINES.complete);
    expect(todos(world)).toEqual([
      ['T1', 'Milk', 2],
      ['T2', 'Bread', 1],
    ]);
    expect(world.status.hasSynced).toBe(true);

    world.write(`DELETE FROM todos WHERE id = 'T1'`);
    await world.clock.advance(1_000);
    expect(world.service.calls).toEqual([`GET /write-checkpoint2.json?client_id=${CLIENT_ID}`]);
    await world.send(SPEC_LINES.diff, SPEC_LINES.removal, SPEC_LINES.completeDiff);
    expect(todos(world)).toEqual([['T2', 'Bread', 1]]);
    expect(
      world.database.query(
        `SELECT key, value FROM sluice_kv WHERE key IN ('seen', 'target', 'applied') ORDER BY key`,
      ),
    ).toEqual([
      ['applied', 1],
      ['seen', 1],
      ['target', 1],
    ]);
    await world.session.disconnect();
    await world.connect();
    expect(world.service.stream.request.buckets).toEqual([
      { name: LISTS, after: '4' },
      { name: TODOS, after: '4' },
    ]);
    expect(world.problems).toEqual([]);
  });

  test('goes on from the stored position after a cut in the middle', async () => {
    const world = await specWorld();
    await world.send(SPEC_LINES.checkpoint, SPEC_LINES.lists);
    world.service.stream.fail();
    await world.clock.advance(1_000);
    expect(world.service.stream.request.buckets).toEqual([{ name: LISTS, after: '1' }]);
    await world.send(SPEC_LINES.checkpoint, SPEC_LINES.todos, SPEC_LINES.complete);
    expect(world.status.hasSynced).toBe(true);
    expect(world.status.downloadError).toBeUndefined();
  });
});

test('positions and write checkpoints beyond 2^53 come back exactly', async () => {
  const world = new SessionWorld();
  await world.connect();
  const bucket = { bucket: 'b', checksum: 5, count: 1, priority: 3, subscriptions: [] };
  const ids = ['9007199254740993', '9223372036854775806'] as const;
  await world.send(
    {
      checkpoint: {
        last_op_id: ids[1],
        write_checkpoint: ids[0],
        buckets: [bucket],
        streams: [],
      },
    },
    { data: { bucket: 'b', data: [{ op_id: ids[0], op: 'MOVE', checksum: 5 }] } },
  );
  expect(world.database.query(`SELECT CAST(position AS TEXT) FROM sluice_bucket`)).toEqual([
    [ids[0]],
  ]);
  await world.send({ checkpoint_complete: { last_op_id: ids[1] } });
  const seen = `SELECT CAST(value AS TEXT) FROM sluice_kv WHERE key = 'seen'`;
  expect(world.database.query(seen)).toEqual([[ids[0]]]);
  world.service.stream.end();
  await world.clock.advance(1_000);
  expect(world.service.stream.request.buckets).toEqual([{ name: 'b', after: ids[1] }]);
});

describe('lines become transactions', () => {
  const staged = (world: SessionWorld) =>
    world.database.query('SELECT count(*) FROM sluice_staged')[0]?.[0];

  test('data waits up to 16 ms for more', async () => {
    const world = await specWorld();
    world.service.stream.send(SPEC_LINES.checkpoint, SPEC_LINES.lists);
    await settle();
    world.service.stream.send(SPEC_LINES.todos);
    await world.clock.advance(15);
    expect(staged(world)).toBe(0);
    await world.clock.advance(1);
    expect(staged(world)).toBe(2);
  });

  test('but is stored before anything else is done', async () => {
    const world = await specWorld();
    world.service.stream.send(...ALL);
    await settle();
    await settle();
    expect(world.status.hasSynced).toBe(true);
  });

  test('what has come is stored when the session ends', async () => {
    const world = await specWorld();
    world.service.stream.send(SPEC_LINES.checkpoint, SPEC_LINES.lists);
    await settle();
    await world.session.disconnect();
    expect(staged(world)).toBe(1);
  });
});

describe('while the app has a transaction open', () => {
  test('what comes waits for its end, and is not rolled back with it', async () => {
    const world = await specWorld();
    await world.send(SPEC_LINES.checkpoint, SPEC_LINES.lists);
    world.database.session.begin();
    await world.send(SPEC_LINES.partial, SPEC_LINES.todos, SPEC_LINES.complete);
    expect(world.database.query('SELECT id FROM lists')).toEqual([]);
    world.end('rollback');
    await world.clock.advance(0);
    expect(todos(world)).toHaveLength(2);
    expect(world.status.hasSynced).toBe(true);
  });

  test('lines that have waited long enough wait too', async () => {
    const world = await specWorld();
    world.service.stream.send(SPEC_LINES.checkpoint, SPEC_LINES.lists);
    await settle();
    world.database.session.begin();
    await world.clock.advance(1_000);
    world.end('rollback');
    await world.clock.advance(0);
    expect(world.database.query('SELECT count(*) FROM sluice_staged')).toEqual([[1]]);
  });

  test('its writes are not uploaded', async () => {
    const world = await specWorld();
    await world.send(...ALL);
    const uploaded: string[] = [];
    world.uploadData = async (queue) => {
      const batch = queue.batch();
      uploaded.push(...(batch?.crud.map(({ id }) => id) ?? []));
      batch?.complete();
    };
    world.database.session.begin();
    world.write(`INSERT INTO lists (id, name) VALUES ('L9', 'not yet')`);
    await world.clock.advance(5_000);
    expect(uploaded).toEqual([]);
    world.end('commit');
    await world.clock.advance(5_000);
    expect(uploaded).toEqual(['L9']);
  });

  test('disconnecting waits for its end', async () => {
    const world = await specWorld();
    await world.send(...ALL);
    world.database.session.begin();
    let ended = false;
    const ending = world.session.disconnect().then(() => (ended = true));
    await world.clock.advance(1_000);
    expect(ended).toBe(false);
    world.end('commit');
    await ending;
    expect(world.status.connected).toBe(false);
  });
});

describe('when the local database refuses', () => {
  test('the stream fails with that, and what was not stored is asked for again', async () => {
    const world = await specWorld();
    world.database.connection.exec('ALTER TABLE sluice_staged RENAME TO gone');
    await world.send(SPEC_LINES.checkpoint, SPEC_LINES.lists);
    expect(world.status.downloadError?.code).toBe('STORE');
    expect(world.status.connected).toBe(false);
    world.database.connection.exec('ALTER TABLE gone RENAME TO sluice_staged');
    await world.clock.advance(60_000);
    expect(world.service.stream.request.buckets).toEqual([]);
    await world.send(...ALL);
    expect(todos(world)).toHaveLength(2);
    expect(world.status.downloadError).toBeUndefined();
  });

  test('also when that is found out only after the lines have waited', async () => {
    const world = await specWorld();
    await world.send(SPEC_LINES.checkpoint);
    world.database.connection.exec('ALTER TABLE sluice_staged RENAME TO gone');
    world.service.stream.send(SPEC_LINES.lists);
    await settle();
    expect(world.status.connected).toBe(true);
    await world.clock.advance(16);
    expect(world.status.downloadError?.code).toBe('STORE');
    expect(world.service.stream.closed).toBe(true);
  });

  test('even while the request is being made', async () => {
    const world = new SessionWorld();
    world.database.connection.exec('ALTER TABLE sluice_bucket RENAME TO gone');
    await world.connect();
    expect(world.status.downloadError?.code).toBe('STORE');
    world.database.connection.exec('ALTER TABLE gone RENAME TO sluice_bucket');
    await world.clock.advance(60_000);
    expect(world.status.connected).toBe(true);
  });
});

test('buckets that do not add up are downloaded anew, and only they', async () => {
  const world = await specWorld();
  await world.send(SPEC_LINES.checkpoint, SPEC_LINES.lists, SPEC_LINES.complete);
  expect(world.status.downloadError?.code).toBe('CHECKSUM');
  expect(world.status.hasSynced).toBe(false);
  await world.clock.advance(1_000);
  expect(world.service.stream.request.buckets).toEqual([{ name: LISTS, after: '1' }]);
});

describe('the connection', () => {
  test('a stream that is silently dead is given up after 45 s, and another one opened', async () => {
    const world = await specWorld();
    await world.send(...ALL, { token_expires_in: 3600 });
    await world.clock.advance(44_000);
    expect(world.service.streams).toHaveLength(1);
    await world.clock.advance(1_000);
    expect(world.status.downloadError?.code).toBe('STREAM_SILENT');
    expect(world.service.stream.closed).toBe(true);
    await world.clock.advance(1_000);
    expect(world.service.streams).toHaveLength(2);
    expect(world.status.connected).toBe(true);
  });

  test('delays grow while the network is down, and a hint does not wait for them', async () => {
    const world = new SessionWorld();
    world.service.refusals.push(...Array.from({ length: 20 }, () => undefined));
    await world.connect();
    await world.clock.advance(0.5 * (1_000 + 2_000 + 4_000 + 8_000));
    expect(world.service.refusals).toHaveLength(15);
    expect(world.status.downloadError?.code).toBe('NETWORK');
    await world.clock.advance(7_000);
    expect(world.service.refusals).toHaveLength(15);
    world.session.hint();
    await world.clock.advance(0);
    expect(world.service.refusals).toHaveLength(14);
  });

  test('firstConnected waits for a connection or the first error', async () => {
    const world = new SessionWorld();
    await world.session.connect(world.connectOptions()).firstConnected;
    expect(world.status.connected).toBe(true);
    const down = new SessionWorld();
    down.service.refusals.push(500);
    await down.session.connect(down.connectOptions()).firstConnected;
    expect(down.status.downloadError).toMatchObject({
      code: 'SERVICE',
      message: 'The service answered 500: PSYNC_S2500 refused',
    });
    down.service.refusals.push(500);
    const again = down.session.connect(down.connectOptions()).firstConnected;
    await again;
    expect(down.status.downloadError?.code).toBe('SERVICE');
  });

  test('firstConnected ends with the session', async () => {
    const world = new SessionWorld();
    world.fetchCredentials = () => new Promise(() => undefined);
    const { firstConnected } = world.session.connect(world.connectOptions());
    await world.session.disconnect();
    await firstConnected;
    expect(world.status.connecting).toBe(false);
  });

  test('nothing runs any more after disconnect', async () => {
    const world = await specWorld();
    await world.send(...ALL);
    await world.session.disconnect();
    await world.session.disconnect();
    expect(world.service.stream.closed).toBe(true);
    expect(world.status.connected).toBe(false);
    await world.clock.advance(600_000);
    expect(world.service.streams).toHaveLength(1);
  });

  test('a paused session goes on when it is resumed', async () => {
    const world = await specWorld();
    await world.session.pause();
    await world.clock.advance(600_000);
    expect(world.service.streams).toHaveLength(1);
    world.write(`INSERT INTO lists (id, name) VALUES ('L9', 'n')`);
    await world.clock.advance(10_000);
    expect(world.created.queue.batch()?.crud).toHaveLength(1);
    world.session.resume();
    await world.clock.advance(2_000);
    expect(world.service.streams).toHaveLength(2);
    expect(world.created.queue.batch()).toBeUndefined();
  });

  test('refuses metadata that the service would refuse', () => {
    const world = new SessionWorld();
    const appMetadata = { version: 1 } as unknown as Record<string, string>;
    expect(() => world.session.connect({ ...world.connectOptions(), appMetadata })).toThrow(
      expect.objectContaining({ code: 'PARAMETER' }),
    );
  });
});

describe('local writes and the gate', () => {
  test('a checkpoint that was held is shown when uploads are acknowledged, without new data', async () => {
    const world = await specWorld();
    await world.send(...ALL);
    world.uploadData = () => Promise.reject(new Error('the backend is down'));
    world.write(`UPDATE todos SET title = 'mine' WHERE id = 'T1'`);
    await world.clock.advance(1_000);
    expect(world.status.uploadError?.code).toBe('UPLOAD');
    await world.send(SPEC_LINES.diff, SPEC_LINES.removal, SPEC_LINES.completeDiff);
    expect(todos(world)).toContainEqual(['T1', 'mine', 2]);
    world.service.writeCheckpoint = 0;
    world.uploadData = async (queue) => queue.batch()?.complete();
    world.session.hint();
    await world.clock.advance(1_000);
    expect(world.status.uploadError).toBeUndefined();
    expect(todos(world)).toEqual([['T2', 'Bread', 1]]);
  });

  test('a write while the write checkpoint is asked for is not taken for uploaded', async () => {
    const world = await specWorld();
    await world.send(...ALL);
    const gateAndQueue = () =>
      world.database.query(
        `SELECT value, (SELECT count(*) FROM sluice_crud) FROM sluice_kv WHERE key = 'target'`,
      );
    world.write(`UPDATE todos SET title = 'first' WHERE id = 'T2'`);
    world.service.meanwhile = () => {
      world.uploadData = () => Promise.reject(new Error('down'));
      world.write(`UPDATE todos SET title = 'second' WHERE id = 'T2'`);
    };
    await world.clock.advance(1_000);
    expect(world.service.writeCheckpoint).toBe(1);
    expect(gateAndQueue()).toEqual([[9223372036854775807n, 1]]);
    world.uploadData = async (queue) => queue.batch()?.complete();
    await world.clock.advance(3_000);
    expect(gateAndQueue()).toEqual([[2, 0]]);
  });
});

describe('syncOnce', () => {
  test('uploads, downloads, and is disconnected again', async () => {
    const world = new SessionWorld();
    world.streams.subscribe([{ name: 'todos', params: { list_id: 'L1' } }]);
    world.write(`INSERT INTO lists (id, name) VALUES ('L9', 'mine')`);
    const done = world.session.syncOnce(world.connectOptions(), new AbortController().signal);
    await world.clock.advance(0);
    await world.send(...ALL);
    expect(world.status.hasSynced).toBe(false);
    await world.clock.advance(2_000);
    await world.send(SPEC_LINES.diff, SPEC_LINES.removal, SPEC_LINES.completeDiff);
    await done;
    expect(world.status.connected).toBe(false);
    expect(todos(world)).toEqual([['T2', 'Bread', 1]]);
  });

  test.each([
    ['download', (world: SessionWorld) => void world.service.refusals.push(500), 'SERVICE'],
    [
      'upload',
      (world: SessionWorld) => {
        world.uploadData = () => Promise.reject(new Error('down'));
        world.write(`INSERT INTO lists (id, name) VALUES ('L9', 'mine')`);
      },
      'UPLOAD',
    ],
  ])('tells the first failure of a %s', async (_what, damage, code) => {
    const world = new SessionWorld();
    damage(world);
    const done = world.session.syncOnce(world.connectOptions(), new AbortController().signal);
    const failed = expect(done).rejects.toMatchObject({ code });
    await world.clock.advance(1_000);
    await failed;
    expect(world.status.connected).toBe(false);
  });

  test('of a connected session asks for a new checkpoint', async () => {
    const world = await specWorld();
    await world.send(...ALL);
    const done = world.session.syncOnce(world.connectOptions(), new AbortController().signal);
    await world.clock.advance(0);
    expect(world.service.streams).toHaveLength(2);
    await world.send(SPEC_LINES.checkpoint, SPEC_LINES.complete);
    await done;
    expect(world.status.connected).toBe(true);
  });
});
