import { type ScriptedRow, type ScriptedStream, subjectOf } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { A, B, put, remove, start } from './testing/session-world.ts';

describe('the worked session (spec/protocol.md 11.5)', () => {
  const listRow: ScriptedRow = {
    bucket: '7#lists|0["u1"]',
    objectType: 'lists',
    objectId: 'L1',
    subkey: 'T-lists/11111111-1111-5111-8111-111111111111',
    checksum: 3687929421,
    data: '{"id":"L1","name":"Groceries","owner_id":"u1"}',
  };
  const todo1 = {
    bucket: '7#todos|0["L1"]',
    objectType: 'todos',
    objectId: 'T1',
    subkey: 'T-todos/21111111-1111-5111-8111-111111111111',
  };
  const todoRows: readonly ScriptedRow[] = [
    { ...todo1, checksum: 3603514498, data: '{"id":"T1","list_id":"L1","title":"Milk","qty":2}' },
    {
      ...todo1,
      objectId: 'T2',
      subkey: 'T-todos/22222222-2222-5222-8222-222222222222',
      checksum: 3247161619,
      data: '{"id":"T2","list_id":"L1","title":"Bread","qty":1}',
    },
  ];
  const LINES = String.raw`{"checkpoint":{"last_op_id":"3","buckets":[{"bucket":"7#lists|0[\"u1\"]","checksum":-607037875,"count":1,"priority":1,"subscriptions":[{"default":0}]},{"bucket":"7#todos|0[\"L1\"]","checksum":-1739258475,"count":2,"priority":3,"subscriptions":[{"sub":0}]}],"streams":[{"name":"lists","is_default":true,"errors":[]},{"name":"todos","is_default":false,"errors":[]}]}}
{"data":{"bucket":"7#lists|0[\"u1\"]","after":"0","has_more":false,"data":[{"op_id":"1","op":"PUT","object_type":"lists","object_id":"L1","checksum":3687929421,"subkey":"T-lists/11111111-1111-5111-8111-111111111111","data":"{\"id\":\"L1\",\"name\":\"Groceries\",\"owner_id\":\"u1\"}"}],"next_after":"1"}}
{"partial_checkpoint_complete":{"last_op_id":"3","priority":1}}
{"data":{"bucket":"7#todos|0[\"L1\"]","after":"0","has_more":false,"data":[{"op_id":"2","op":"PUT","object_type":"todos","object_id":"T1","checksum":3603514498,"subkey":"T-todos/21111111-1111-5111-8111-111111111111","data":"{\"id\":\"T1\",\"list_id\":\"L1\",\"title\":\"Milk\",\"qty\":2}"},{"op_id":"3","op":"PUT","object_type":"todos","object_id":"T2","checksum":3247161619,"subkey":"T-todos/22222222-2222-5222-8222-222222222222","data":"{\"id\":\"T2\",\"list_id\":\"L1\",\"title\":\"Bread\",\"qty\":1}"}],"next_after":"3"}}
{"checkpoint_complete":{"last_op_id":"3"}}
{"checkpoint_diff":{"last_op_id":"4","write_checkpoint":"1","removed_buckets":[],"updated_buckets":[{"bucket":"7#todos|0[\"L1\"]","checksum":-611357420,"count":3,"priority":3,"subscriptions":[{"sub":0}]}]}}
{"data":{"bucket":"7#todos|0[\"L1\"]","after":"3","has_more":false,"data":[{"op_id":"4","op":"REMOVE","object_type":"todos","object_id":"T1","checksum":1127901055,"subkey":"T-todos/21111111-1111-5111-8111-111111111111","data":null}],"next_after":"4"}}
{"checkpoint_complete":{"last_op_id":"4"}}
`;

  async function run(format: 'ndjson' | 'bson') {
    const { storage, connect, commit } = start([
      { name: 'lists', priority: 1, buckets: () => ['lists|0["u1"]'] },
      { name: 'todos', isDefault: false, buckets: () => ['todos|0["L1"]'] },
    ]);
    commit([listRow, ...todoRows]);
    const subscription = {
      stream: 'todos',
      parameters: { list_id: 'L1' },
      override_priority: null,
    };
    const request = { streams: { include_defaults: true, subscriptions: [subscription] } };
    const connection = connect({ format, request });
    await connection.drain();
    await storage.writeCheckpoints.create('u1', '00000000/00000004');
    commit([{ ...todo1, checksum: 1127901055 }], '00000000/00000004');
    await connection.drain();
    return { connection, connect, request };
  }

  test('as NDJSON, byte for byte', async () => {
    const { connection } = await run('ndjson');
    expect(connection.bytes.toString()).toBe(LINES);
  });

  test('as BSON, the same lines', async () => {
    const { connection } = await run('bson');
    const json = await run('ndjson');
    expect(connection.client.lines).toEqual(json.connection.client.lines);
    // L2 of spec/protocol.md 11.6.
    expect(connection.bytes.toString('hex')).toContain(
      '2f01000003646174610024010000026275636b6574001000000037236c697374737c305b227531225d00',
    );
  });

  test('after a reconnect there is one checkpoint line and its completion', async () => {
    const { connection, connect, request } = await run('bson');
    expect(connection.client.heldBuckets()).toEqual([
      { name: '7#lists|0["u1"]', after: 4n },
      { name: '7#todos|0["L1"]', after: 4n },
    ]);
    const again = connect({ client: connection.client, request });
    expect(await again.story()).toEqual([
      'checkpoint 4 w1 7#lists|0["u1"] 7#todos|0["L1"]',
      'complete 4 up to priority 1',
      'complete 4',
    ]);
  });
});

describe('checkpoints', () => {
  test('a client without buckets gets a checkpoint and its completion', async () => {
    const { connect, commit } = start([]);
    commit([put('a', '1')]);
    expect(await connect().story()).toEqual(['checkpoint 1', 'complete 1']);
  });

  test('a checkpoint that changes none of its buckets is not shown', async () => {
    const { connect, commit } = start([A]);
    commit([put('a', '1')]);
    const connection = connect();
    await connection.drain();
    commit([put('other', '1')]);
    expect(await connection.story()).toEqual([]);
    commit([put('a', '2')]);
    expect(await connection.story()).toEqual(['diff 3 7#a', 'data 7#a PUT:3', 'complete 3']);
  });

  test('a delta that knows nothing makes everybody look, and tells only what is new', async () => {
    const { storage, connect, commit } = start([A, B]);
    commit([put('a', '1')]);
    const connection = connect();
    await connection.drain();
    storage.commit(7, { rows: [put('b', '1')], announceAll: true });
    expect(await connection.story()).toEqual(['diff 2 7#b', 'data 7#b PUT:2', 'complete 2']);
    storage.commit(7, { announceAll: true });
    expect(await connection.story()).toEqual([]);
  });

  test('ops go to a client from where it stands', async () => {
    const { connect, commit } = start([A, B]);
    commit([put('a', '1'), put('b', '1'), put('a', '2')]);
    const buckets = [
      { name: '7#a', after: '1' },
      { name: '7#gone', after: '2' },
      { name: '7#b', after: '9' },
    ];
    const session = connect({ request: { buckets }, format: 'ndjson' });
    // The client here holds nothing, so its checksums cannot match at the first completion.
    await expect(session.drain()).rejects.toThrow('the checksum of 7#a matches');
    expect(session.bytes.toString()).toContain('"after":"1","has_more":false,"data":[{"op_id":"3"');
    expect(session.bytes.toString()).not.toContain('"op_id":"2"');
  });

  test('every priority but the last is completed for itself', async () => {
    const { connect, commit } = start([
      B,
      A,
      { name: 'z', priority: 0, buckets: () => ['z', 'y'] },
    ]);
    commit([put('a', '1'), put('b', '1'), put('y', '1')]);
    const connection = connect();
    expect(await connection.story()).toEqual([
      'checkpoint 3 7#b 7#a 7#z 7#y',
      'data 7#y PUT:3',
      'complete 3 up to priority 0',
      'data 7#a PUT:1',
      'complete 3 up to priority 1',
      'data 7#b PUT:2',
      'complete 3',
    ]);
    commit([put('a', '2')]);
    expect(await connection.story()).toEqual(['diff 4 7#a', 'data 7#a PUT:4', 'complete 4']);
  });

  test('checkpoints that follow each other fast are shown as one', async () => {
    const { clock, connect, commit } = start([A], { minCheckpointIntervalMs: 5 });
    commit([put('a', '1')]);
    const connection = connect();
    await connection.drain();
    commit([put('a', '2')]);
    expect(await connection.story()).toHaveLength(3);
    commit([put('a', '3')]);
    expect(await connection.story()).toEqual([]);
    commit([put('a', '4')]);
    commit([put('a', '5')]);
    await clock.advance(5);
    await clock.advance(5);
    expect((await connection.story()).at(-1)).toBe('complete 5');
  });
});

describe('the legacy embedded form', () => {
  test('is sent to NDJSON clients that do not ask for raw data', async () => {
    const { connect, commit } = start([A]);
    commit([put('a', '1', '{"id":"1","n":9007199254740993}'), remove('a', '2')]);
    const session = connect({ format: 'ndjson', request: { raw_data: false } });
    await expect(session.drain()).rejects.toThrow('data is a string');
    expect(session.bytes.toString()).toContain('"data":{"id":"1","n":9007199254740993}}');
    expect(session.bytes.toString()).toContain('"data":null}');
  });
});

describe('buckets found by lookups', () => {
  const lists: ScriptedStream = {
    name: 'l',
    lookupKey: (request) => `by_user["${subjectOf(request)}"]`,
  };

  test('come and go with the lookups, without a change of their content', async () => {
    const { storage, connect, commit } = start([lists]);
    commit([put('x', '1'), put('y', '1')]);
    storage.commit(7, { lookups: { '7#by_user["u1"]': ['x'] } });
    const connection = connect();
    expect(await connection.story()).toEqual(['checkpoint 3 7#x', 'data 7#x PUT:1', 'complete 3']);
    storage.commit(7, { lookups: { '7#by_user["u2"]': ['y'] } });
    expect(await connection.story()).toEqual([]);
    storage.commit(7, { lookups: { '7#by_user["u1"]': ['y'] } });
    expect(await connection.story()).toEqual(['diff 5 7#y -7#x', 'data 7#y PUT:2', 'complete 5']);
    storage.commit(7, { lookups: { '7#by_user["u1"]': ['x'] }, rows: [put('x', '2')] });
    expect(await connection.story()).toEqual([
      'diff 7 7#x -7#y',
      'data 7#x PUT:1 PUT:6',
      'complete 7',
    ]);
  });

  test('are looked up once for sessions that ask together', async () => {
    const { storage, connect, commit } = start([lists]);
    commit([put('x', '1')]);
    storage.commit(7, { lookups: { '7#by_user["u1"]': ['x'] } });
    const connections = Array.from({ length: 20 }, () => connect());
    await Promise.all(connections.map((connection) => connection.drain()));
    storage.calls.lookup = 0;
    storage.commit(7, { lookups: { '7#by_user["u1"]': [] } });
    const stories = await Promise.all(connections.map((connection) => connection.story()));
    expect(new Set(stories.map(String))).toEqual(new Set(['diff 3 -7#x,complete 3']));
    expect(storage.calls.lookup).toBe(1);
  });
});

describe('write checkpoints (spec/protocol.md 5.2, 11.11)', () => {
  test('are told when the source position is reached, and repeated in every diff', async () => {
    const { storage, connect, commit } = start([A]);
    commit([put('a', '1')], 'p1');
    const connection = connect();
    await connection.drain();
    await storage.writeCheckpoints.create('u1', 'p2');
    expect(await connection.story()).toEqual([]);
    storage.commit(7, { position: 'p2' });
    expect(await connection.story()).toEqual(['diff 2 w1', 'complete 2']);
    commit([put('a', '2')], 'p3');
    expect(await connection.story()).toEqual(['diff 3 w1 7#a', 'data 7#a PUT:3', 'complete 3']);
  });

  test('are told at once when the position was reached before', async () => {
    const { storage, connect, commit } = start([A]);
    commit([put('a', '1')], 'p5');
    const connection = connect();
    await connection.drain();
    await storage.writeCheckpoints.create('u1', 'p5');
    expect(await connection.story()).toEqual(['diff 1 w1', 'complete 1']);
  });

  test('a newer request hides an older one from a connection that was not told', async () => {
    const { storage, connect, commit } = start([A]);
    commit([put('a', '1')], 'h0');
    await storage.writeCheckpoints.create('u1', 'h1');
    await storage.writeCheckpoints.create('u1', 'h2');
    storage.commit(7, { position: 'h1' });
    const connection = connect();
    expect((await connection.story())[0]).toBe('checkpoint 2 7#a');
    storage.commit(7, { position: 'h2' });
    expect(await connection.story()).toEqual(['diff 3 w2', 'complete 3']);
  });

  test('what was told is not taken back while the next is awaited', async () => {
    const { storage, connect, commit } = start([A]);
    commit([put('a', '1')], 'h1');
    await storage.writeCheckpoints.create('u1', 'h1');
    const connection = connect();
    expect((await connection.story())[0]).toBe('checkpoint 1 w1 7#a');
    await storage.writeCheckpoints.create('u1', 'h3');
    commit([put('a', '2')], 'h2');
    expect((await connection.story())[0]).toBe('diff 2 w1 7#a');
    commit([put('a', '3')], 'h3');
    expect((await connection.story())[0]).toBe('diff 3 w2 7#a');
  });

  test('concern the sessions of their user alone', async () => {
    const { storage, connect, commit } = start([A]);
    commit([put('a', '1')], 'p1');
    const [mine, other] = [connect(), connect({ userKey: 'u2' })];
    await Promise.all([mine.drain(), other.drain()]);
    await storage.writeCheckpoints.create('u1', 'p1');
    expect(await mine.story()).toEqual(['diff 1 w1', 'complete 1']);
    expect(await other.story()).toEqual([]);
  });

  test('nobody is asked about when no record waits', async () => {
    const { storage, connect, commit } = start([A]);
    commit([put('a', '1')], 'p1');
    const connection = connect();
    await connection.drain();
    storage.calls.reached = 0;
    commit([put('a', '2')], 'p2');
    await connection.drain();
    expect(storage.calls.reached).toBe(0);
  });
});

describe('token lines (spec/protocol.md 2.9)', () => {
  test('come every 20 s, 20 s before expiry and at expiry, where the stream ends', async () => {
    const { clock, connect, commit } = start([A]);
    commit([put('a', '1')]);
    const connection = connect({ expiresAtMs: clock.now() + 65_000 });
    await connection.drain();
    const heard: string[] = [];
    for (let second = 1; second <= 66; second += 1) {
      await clock.advance(1000);
      for (const line of await connection.story()) heard.push(`${second}: ${line}`);
    }
    expect(heard).toEqual(['20: token 45', '40: token 25', '45: token 20', '65: token 0']);
    expect(connection.ended).toBe(true);
  });

  test('a token that has expired gives the one line that says so', async () => {
    const { clock, hub, connect } = start([A]);
    const connection = connect({ expiresAtMs: clock.now() - 1 });
    expect(await connection.story()).toEqual(['token 0']);
    expect(connection.ended).toBe(true);
    expect(hub.stats().connections).toBe(0);
  });

  test('a download goes on under a keepalive, and ends at expiry', async () => {
    const { clock, connect, commit } = start([A], { chunkBytes: 1 });
    commit(Array.from({ length: 50 }, (_, i) => put('a', `${i}`, `{"x":"${'y'.repeat(70_000)}"}`)));
    const connection = connect({ expiresAtMs: clock.now() + 30_000 });
    await connection.take();
    await clock.advance(10_000);
    expect((await connection.take())?.map((line) => line.kind)).toContain('token_expires_in');
    await clock.advance(20_000);
    expect((await connection.story()).at(-1)).toBe('token 0');
    expect(connection.ended).toBe(true);
  });
});
