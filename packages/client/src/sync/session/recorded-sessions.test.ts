import { until } from '@sluice/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { RecordedClient } from '../../testing/recorded-client.ts';
import type { Wire } from '../../testing/recorded-service.ts';
import { CLIENT_ID, LISTS, TODOS } from '../../testing/session-world.ts';
import {
  FRAMES,
  SESSION_CHECKPOINT_AGAIN,
  SESSION_LINES,
  SESSION_REQUEST,
  SESSION_REQUEST_AGAIN,
} from '../../testing/worked-examples.ts';

const GROCERIES = { id: 'L1', name: 'Groceries', owner_id: 'u1' };
const MILK = { id: 'T1', list_id: 'L1', title: 'Milk', qty: 2 };
const BREAD = { id: 'T2', list_id: 'L1', title: 'Bread', qty: 1 };
const WAIT_MS = 10_000;

let client: RecordedClient | undefined;

afterEach(async () => {
  await client?.[Symbol.asyncDispose]();
  client = undefined;
});

async function open(wire: Wire, chunkBytes?: number): Promise<RecordedClient> {
  client = await RecordedClient.open(wire, chunkBytes);
  return client;
}

/** Until the bucket is as the table "Client state" of 11.5 says. */
async function bucketIs(replay: RecordedClient, name: string, state: readonly number[]) {
  const isThere = async () => JSON.stringify(await replay.bucket(name)) === JSON.stringify(state);
  await until(`${name} is ${state.join(' ')}`, isThere, WAIT_MS);
}

/** Lines L1 to L9 with the user's deletion in between; what the spec says is checked after each. */
async function playSession(replay: RecordedClient): Promise<void> {
  const { service, db } = replay;
  service.line(1);
  service.line(2);
  await bucketIs(replay, LISTS, [3687929421, 1, 0, 1]);
  expect(await replay.rows('lists')).toEqual([]);
  service.line(3);
  await bucketIs(replay, LISTS, [3687929421, 3, 0, 1]);
  expect(await replay.rows('lists')).toEqual([GROCERIES]);
  expect(db.currentStatus.statusForPriority(1).hasSynced).toBe(true);
  expect(db.currentStatus.hasSynced).toBe(false);
  service.line(4);
  await bucketIs(replay, TODOS, [2555708821, 3, 0, 2]);
  expect(await replay.rows('todos')).toEqual([]);
  service.line(5);
  await db.waitForFirstSync();
  expect([await replay.bucket(LISTS), await replay.bucket(TODOS)]).toEqual([
    [3687929421, 3, 1, 0],
    [2555708821, 3, 2, 0],
  ]);
  expect(await replay.rows('todos')).toEqual([MILK, BREAD]);

  await db.execute(`DELETE FROM todos WHERE id = 'T1'`);
  await until('the write checkpoint is asked for', () => service.otherCalls.length > 0, WAIT_MS);
  expect(service.otherCalls).toEqual([`GET /write-checkpoint2.json?client_id=${CLIENT_ID}`]);
  expect(replay.uploaded).toMatchObject([{ op: 'DELETE', table: 'todos', id: 'T1' }]);

  service.line(6);
  service.line(7);
  service.line(8);
  await bucketIs(replay, TODOS, [3683609876, 4, 2, 1]);
  service.line(9);
  await bucketIs(replay, TODOS, [3683609876, 4, 3, 0]);
  expect(await replay.bucket(LISTS)).toEqual([3687929421, 4, 1, 0]);
  expect(await replay.rows('lists')).toEqual([GROCERIES]);
  expect(await replay.rows('todos')).toEqual([BREAD]);
  const marks = `SELECT value FROM sluice_kv WHERE key IN ('seen', 'applied', 'target')`;
  expect(await db.getAll(marks)).toEqual([{ value: 1 }, { value: 1 }, { value: 1 }]);
}

// spec/protocol.md 11.5 and 11.6, from a socket
describe.each<[wire: Wire, how: string, chunkBytes: number]>([
  ['NDJSON', 'as it comes', Infinity],
  ['NDJSON', 'a byte at a time', 1],
  ['BSON', 'as it comes', Infinity],
  ['BSON', 'a byte at a time', 1],
  ['RSocket', 'a frame at a time', Infinity],
])('the recorded session as %s, %s', (wire, _, chunkBytes) => {
  test('has the requests, rows and states of the spec, also after a disconnect', async () => {
    const replay = await open(wire, chunkBytes);
    const { service, db } = replay;
    const bodies = () =>
      wire === 'RSocket'
        ? service.frames
            .filter((frame) => frame.startsWith(FRAMES.requestHead))
            .map((frame) => Buffer.from(frame.slice(FRAMES.requestHead.length), 'hex').toString())
        : service.requests
            .filter(({ line }) => line === 'POST /sync/stream')
            .map(({ body }) => body);
    await replay.connect();
    await playSession(replay);
    await db.disconnect();
    await until('it hung up', () => service.stream?.isClosed === true, WAIT_MS);

    await replay.connect();
    expect(bodies()).toEqual([SESSION_REQUEST, SESSION_REQUEST_AGAIN]);
    const syncedAt = Number(db.currentStatus.lastSyncedAt);
    service.say(SESSION_CHECKPOINT_AGAIN);
    service.line(9);
    await db.waitForStatus(({ lastSyncedAt }) => Number(lastSyncedAt) > syncedAt);
    expect(await replay.rows('lists')).toEqual([GROCERIES]);
    expect(await replay.rows('todos')).toEqual([BREAD]);
    expect(db.currentStatus).toMatchObject({
      connected: true,
      downloading: false,
      downloadError: undefined,
      uploadError: undefined,
    });
    expect(service.otherCalls).toHaveLength(1);
    expect(replay.problems).toEqual([]);
  });
});

test('a request over HTTP has the headers of the spec', async () => {
  const replay = await open('NDJSON');
  await replay.connect();
  const [request] = replay.service.requests;
  expect(request?.headers).toMatchObject({
    'content-type': 'application/json',
    authorization: 'Token eyJhbGciOiJIUzI1NiJ9.e30.AA',
    'x-user-agent': 'example/1.0',
    accept: 'application/x-ndjson;q=0.9,application/vnd.powersync.bson-stream;q=0.8',
  });
});

// spec/protocol.md 11.7
describe('recorded frames', () => {
  test('SETUP is the spec’s, byte for byte; more lines are asked for once half are taken', async () => {
    const replay = await open('RSocket');
    await replay.connect();
    expect(replay.service.frames[0]).toBe(FRAMES.setup);
    for (let line = 1; line <= 4; line += 1) replay.service.line(line);
    replay.service.bytes(Buffer.from(FRAMES.payloadL5, 'hex'));
    await replay.db.waitForFirstSync();
    expect(await replay.rows('todos')).toEqual([MILK, BREAD]);
    await until(
      'more is asked for',
      () => replay.service.frames.includes(FRAMES.requestFive),
      WAIT_MS,
    );
  });

  test('a SETUP that is refused for its token is repeated with another one, and told the second time', async () => {
    const replay = await open('RSocket');
    await replay.connect();
    replay.service.bytes(Buffer.from(FRAMES.setupRefused, 'hex'));
    await until('another try', () => replay.service.streams.length === 2, WAIT_MS);
    expect(replay.fetchedCredentials).toBe(2);
    expect(replay.db.currentStatus.downloadError).toBeUndefined();
    replay.service.bytes(Buffer.from(FRAMES.setupRefused, 'hex'));
    await replay.db.waitForStatus(({ downloadError }) => downloadError?.code === 'UNAUTHORIZED');
  });

  test('a stream that is refused is told, and tried again with the same token', async () => {
    const replay = await open('RSocket');
    await replay.connect();
    replay.service.bytes(Buffer.from(FRAMES.streamRefused, 'hex'));
    await replay.db.waitForStatus(({ downloadError }) => downloadError?.code === 'SERVICE');
    await until('another try', () => replay.service.streams.length === 2, WAIT_MS);
    expect(replay.fetchedCredentials).toBe(1);
    for (let line = 1; line <= 5; line += 1) replay.service.line(line);
    await replay.db.waitForFirstSync();
    expect(replay.db.currentStatus.downloadError).toBeUndefined();
  });

  test('a stream that the service completes is opened again, from where it was', async () => {
    const replay = await open('RSocket');
    await replay.connect();
    for (let line = 1; line <= 5; line += 1) replay.service.line(line);
    await replay.db.waitForFirstSync();
    replay.service.bytes(Buffer.from(FRAMES.complete, 'hex'));
    await until('another try', () => replay.service.streams.length === 2, WAIT_MS);
    const request = Buffer.from(replay.service.frames.at(-1) ?? '', 'hex').toString();
    expect(request).toContain(String.raw`{"name":"7#todos|0[\"L1\"]","after":"3"}`);
  });
});

const bucket = (more: string) =>
  `{"checkpoint":{"last_op_id":"1","buckets":[{"bucket":"b","checksum":0${more}}]}}`;
const op = (more: string) =>
  `{"data":{"bucket":"7#lists|0[\\"u1\\"]","after":"0","has_more":false,"data":[{"op":"PUT","object_type":"lists","object_id":"L9","subkey":"s","data":"{}",${more}}],"next_after":"9"}}`;

// spec/protocol.md 11.10: lines, given after the first of the session if not told otherwise
describe('a line that the spec refuses ends the connection, and changes nothing', () => {
  test.each<[what: string, line: string, isFirst?: boolean]>([
    ['an empty object', '{}'],
    ['a second key', '{"checkpoint_complete":{"last_op_id":"3"},"more":1}'],
    ['a key with an escape', String.raw`{"checkpoint_comple\u0074e":{"last_op_id":"3"}}`],
    ['an op id as a number', op('"op_id":9,"checksum":1')],
    ['a checksum as text', op('"op_id":"9","checksum":"1"')],
    ['a checksum of 33 bits', op('"op_id":"9","checksum":4294967296')],
    ['a count of 1.0', bucket(',"count":1.0')],
    ['a priority of 1.0', bucket(',"priority":1.0')],
    ['an index of 1.0', bucket(',"subscriptions":[{"sub":1.0}]')],
    ['an expiry of 1.0', '{"token_expires_in":1.0}'],
    ['subscriptions that are null', bucket(',"subscriptions":null')],
    [
      'a stream without errors',
      '{"checkpoint":{"last_op_id":"1","buckets":[],"streams":[{"name":"s","is_default":true}]}}',
    ],
    ['an operation PATCH', op('"op_id":"9","checksum":1').replace('"PUT"', '"PATCH"')],
    [
      'a diff before any checkpoint',
      '{"checkpoint_diff":{"last_op_id":"1","updated_buckets":[],"removed_buckets":[]}}',
      true,
    ],
    ['a completion before any checkpoint', '{"checkpoint_complete":{"last_op_id":"1"}}', true],
  ])('%s', async (_, line, isFirst = false) => {
    const replay = await open('NDJSON');
    await replay.connect();
    if (!isFirst) replay.service.line(1);
    replay.service.say(line);
    const { downloadError } = await replay.db.waitForStatus(
      (status) => status.downloadError !== undefined,
    );
    expect(downloadError?.code).toBe('PROTOCOL');
    await until('it hung up', () => replay.service.streams[0]?.isClosed === true, WAIT_MS);
    expect(await replay.rows('lists')).toEqual([]);
    expect(await replay.db.getAll('SELECT name FROM sluice_bucket')).toEqual([]);
  });
});

describe('a line that the spec accepts lets the session go on', () => {
  test.each<[what: string, lines: readonly string[]]>([
    ['an unknown line', ['{"something_new":{}}']],
    [
      'write_checkpoint null',
      [SESSION_LINES[0].replace('"buckets"', '"write_checkpoint":null,"buckets"')],
    ],
    [
      'buckets without priority, count or subscriptions, no streams',
      [
        String.raw`{"checkpoint":{"last_op_id":"3","buckets":[{"bucket":"7#lists|0[\"u1\"]","checksum":-607037875},{"bucket":"7#todos|0[\"L1\"]","checksum":-1739258475}]}}`,
      ],
    ],
    ['priority 9', [SESSION_LINES[0].replace('"priority":3', '"priority":9')]],
    ['an unsigned checksum', [SESSION_LINES[0].replace('-607037875', '3687929421')]],
    ['a checksum as an integral double', [SESSION_LINES[0].replace('-607037875', '-607037875.0')]],
    [
      'rows embedded in the line, as of a service that knows no raw_data',
      [
        SESSION_LINES[0],
        SESSION_LINES[1].replace(
          /"data":"(.*?)"\}\]/,
          (_, row: string) => `"data":${row.replaceAll('\\"', '"')}}]`,
        ),
      ],
    ],
  ])('%s', async (_, lines) => {
    const replay = await open('NDJSON');
    await replay.connect();
    const begins = lines.some((line) => line.includes('"checkpoint"'));
    if (!begins) replay.service.line(1);
    for (const line of lines) replay.service.say(line);
    if (!lines.some((line) => line.startsWith('{"data"'))) replay.service.line(2);
    for (let line = 4; line <= 5; line += 1) replay.service.line(line);
    await replay.db.waitForFirstSync();
    expect(await replay.rows('lists')).toEqual([GROCERIES]);
    expect(await replay.rows('todos')).toEqual([MILK, BREAD]);
    expect(replay.db.currentStatus).toMatchObject({ connected: true, downloadError: undefined });
  });

  test('a second key in a line of BSON', async () => {
    const replay = await open('BSON');
    await replay.connect();
    for (let line = 1; line <= 4; line += 1) replay.service.line(line);
    replay.service.say('{"checkpoint_complete":{"last_op_id":"3"},"more":1}');
    await replay.db.waitForFirstSync();
    expect(await replay.rows('todos')).toEqual([MILK, BREAD]);
  });
});
