import { serialize } from 'bson';
import { describe, expect, test } from 'vitest';
import { CLIENT_ID, LISTS, SessionWorld, TODOS } from '../../testing/session-world.ts';
import {
  COMPACTED_LINE,
  SESSION_CHECKPOINT_AGAIN,
  SESSION_LINES,
  SESSION_LINES_AS_BSON,
} from '../../testing/worked-examples.ts';

const BSON = 'application/vnd.powersync.bson-stream';

type Encode = (line: string, number: number) => Uint8Array;

const asJson: Encode = (line) => Buffer.from(`${line}\n`);
/** The spec's bytes where it gives them. */
const asBson: Encode = (line, number) => {
  const hex = SESSION_LINES_AS_BSON[number];
  return hex === undefined ? serialize(JSON.parse(line) as object) : Buffer.from(hex, 'hex');
};

/** A client of the session of 11.5, and what it has after each line. */
class Replay {
  readonly world = new SessionWorld();
  readonly #encode: Encode;
  readonly #chunkBytes: number;

  constructor(contentType: string, encode: Encode, chunkBytes: number) {
    this.world.service.contentType = contentType;
    this.#encode = encode;
    this.#chunkBytes = chunkBytes;
  }

  async connect(): Promise<void> {
    this.world.streams.subscribe([{ name: 'todos', params: { list_id: 'L1' } }]);
    await this.world.connect();
  }

  /** Lines by the spec's numbers, from 1. */
  async line(number: number): Promise<void> {
    await this.text(SESSION_LINES[number - 1] ?? '', number);
  }

  async text(line: string, number = 0): Promise<void> {
    const bytes = this.#encode(line, number);
    for (let at = 0; at < bytes.length; at += this.#chunkBytes) {
      this.world.service.stream.sendBytes(bytes.slice(at, at + this.#chunkBytes));
    }
    await this.world.clock.advance(20);
  }

  /** Sum of the checksums, position, counts of the bucket. */
  bucket(name: string): unknown {
    const sql = `SELECT checksum, position, count_at_last, count_since_last FROM sluice_bucket WHERE name = '${name}'`;
    return this.world.database.query(sql)[0];
  }

  rows(table: 'lists' | 'todos'): unknown {
    return this.world.database.query(`SELECT * FROM ${table} ORDER BY id`);
  }
}

const GROCERIES = ['L1', 'Groceries', 'u1'];
const MILK = ['T1', 'L1', 'Milk', 2];
const BREAD = ['T2', 'L1', 'Bread', 1];

// spec/protocol.md 11.5 and 11.6, with the table "Client state"
describe.each<[format: string, contentType: string, encode: Encode, chunkBytes: number]>([
  ['NDJSON', 'application/x-ndjson', asJson, Infinity],
  ['NDJSON, a byte at a time', 'application/x-ndjson', asJson, 1],
  ['BSON', BSON, asBson, Infinity],
  ['BSON, a byte at a time', BSON, asBson, 1],
])('the session of the spec as %s', (_, contentType, encode, chunkBytes) => {
  test('leaves after each line what the spec says', async () => {
    const replay = new Replay(contentType, encode, chunkBytes);
    const { world } = replay;
    await replay.connect();

    await replay.line(1);
    await replay.line(2);
    expect(replay.bucket(LISTS)).toEqual([3687929421, 1, 0, 1]);
    expect(replay.bucket(TODOS)).toBeUndefined();
    expect(replay.rows('lists')).toEqual([]);

    await replay.line(3);
    expect(replay.bucket(LISTS)).toEqual([3687929421, 3, 0, 1]);
    expect(replay.rows('lists')).toEqual([GROCERIES]);
    expect(world.status.statusForPriority(1).hasSynced).toBe(true);
    expect(world.status.hasSynced).toBe(false);

    await replay.line(4);
    expect(replay.bucket(TODOS)).toEqual([2555708821, 3, 0, 2]);
    expect(replay.rows('todos')).toEqual([]);

    await replay.line(5);
    expect(replay.bucket(LISTS)).toEqual([3687929421, 3, 1, 0]);
    expect(replay.bucket(TODOS)).toEqual([2555708821, 3, 2, 0]);
    expect(replay.rows('todos')).toEqual([MILK, BREAD]);
    expect(world.status.hasSynced).toBe(true);

    world.write(`DELETE FROM todos WHERE id = 'T1'`);
    await world.clock.advance(1_000);
    expect(world.service.calls).toEqual([`GET /write-checkpoint2.json?client_id=${CLIENT_ID}`]);

    await replay.line(6);
    await replay.line(7);
    await replay.line(8);
    expect(replay.bucket(TODOS)).toEqual([3683609876, 4, 2, 1]);

    await replay.line(9);
    expect(replay.bucket(LISTS)).toEqual([3687929421, 4, 1, 0]);
    expect(replay.bucket(TODOS)).toEqual([3683609876, 4, 3, 0]);
    expect(replay.rows('todos')).toEqual([BREAD]);
    const marks = `SELECT value FROM sluice_kv WHERE key IN ('seen', 'applied', 'target')`;
    expect(world.database.query(marks)).toEqual([[1], [1], [1]]);
    expect(world.status).toMatchObject({ connected: true, downloading: false });
    expect(world.status.downloadError).toBeUndefined();
    expect(world.problems).toEqual([]);
  });

  test('goes on after a disconnect with one checkpoint, if nothing has changed', async () => {
    const replay = new Replay(contentType, encode, chunkBytes);
    const { world } = replay;
    await replay.connect();
    for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 9]) await replay.line(number);
    await world.session.disconnect();
    await world.connect();
    expect(world.service.stream.request.buckets).toEqual([
      { name: LISTS, after: '4' },
      { name: TODOS, after: '4' },
    ]);
    await replay.text(SESSION_CHECKPOINT_AGAIN);
    await replay.line(9);
    expect(replay.rows('lists')).toEqual([GROCERIES]);
    expect(replay.rows('todos')).toEqual([BREAD]);
    expect(world.status).toMatchObject({ connected: true, hasSynced: true });
    expect(world.status.downloadError).toBeUndefined();
  });
});

// spec/protocol.md 11.4
describe('the bucket of the spec that is compacted', () => {
  const subkeyA = 'tt/aaaaaaaa-0000-5000-8000-000000000001';
  const subkeyB = 'tt/bbbbbbbb-0000-5000-8000-000000000002';
  const subkeyC = 'tt/cccccccc-0000-5000-8000-000000000003';
  const put = (id: string, key: string, opId: number, title: string, checksum: number) => ({
    op_id: String(opId),
    op: 'PUT',
    object_type: 'todos',
    object_id: id,
    checksum,
    subkey: key,
    data: JSON.stringify({ id, title }),
  });
  const move = (opId: number, checksum: number) => ({ op_id: String(opId), op: 'MOVE', checksum });
  const remove = {
    op_id: '13',
    op: 'REMOVE',
    object_type: 'todos',
    object_id: 'B',
    checksum: 3425507020,
    subkey: subkeyB,
    data: null,
  };
  const op10 = put('A', subkeyA, 10, 'a1', 4021247086);
  const op11 = put('B', subkeyB, 11, 'b1', 803959334);
  const rest = [
    put('A', subkeyA, 12, 'a2', 2576679518),
    remove,
    put('C', subkeyC, 14, 'c1', 2297328903),
  ];
  const dataLine = (after: string, data: readonly { readonly op_id: string }[]) => {
    const nextAfter = data.at(-1)?.op_id;
    return JSON.stringify({
      data: { bucket: TODOS, after, has_more: false, data, next_after: nextAfter },
    });
  };
  const moved = [move(10, 4021247086), move(11, 803959334)];

  test.each<[what: string, count: number, lines: readonly string[]]>([
    ['in full', 5, [dataLine('0', [op10, op11, ...rest])]],
    ['after the MOVE pass', 5, [dataLine('0', [...moved, ...rest])]],
    ['after the CLEAR pass', 4, [COMPACTED_LINE]],
    ['from 10 on, moved', 5, [dataLine('0', [op10]), dataLine('10', [...moved.slice(1), ...rest])]],
    ['from 10 on, cleared', 4, [dataLine('0', [op10]), COMPACTED_LINE]],
    ['from 11 on, cleared before', 4, [dataLine('0', [op10, op11]), dataLine('11', rest)]],
  ])('%s gives the same rows and the same sum', async (_, count, lines) => {
    const replay = new Replay('application/x-ndjson', asJson, Infinity);
    await replay.connect();
    const bucket = { bucket: TODOS, checksum: 239819973, count, priority: 3, subscriptions: [] };
    const checkpoint = { last_op_id: '14', buckets: [bucket], streams: [] };
    await replay.text(JSON.stringify({ checkpoint }));
    for (const line of lines) await replay.text(line);
    await replay.text('{"checkpoint_complete":{"last_op_id":"14"}}');
    expect(replay.bucket(TODOS)).toEqual([239819973, 14, count, 0]);
    expect(replay.rows('todos')).toEqual([
      ['A', null, 'a2', null],
      ['C', null, 'c1', null],
    ]);
    expect(replay.world.status.downloadError).toBeUndefined();
  });
});

test('of a token that has just expired the stream is one line, and another token is asked for', async () => {
  // spec/protocol.md 11.8
  const replay = new Replay('application/x-ndjson', asJson, Infinity);
  await replay.connect();
  await replay.text('{"token_expires_in":0}');
  await replay.world.clock.advance(10_000);
  expect(replay.world.fetches).toBeGreaterThan(1);
});
