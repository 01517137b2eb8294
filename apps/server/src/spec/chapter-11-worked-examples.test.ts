import { describe, expect, it } from 'vitest';
import { until, type ScriptedRow, type ScriptedStream } from '@sluice/testing';
import { LINE, RawRSocketClient } from '../testing/raw-rsocket-client.ts';
import { openStream, TRANSPORTS, type WireTransport } from '../testing/wire-stream.ts';
import {
  EXPIRES,
  GENERATION,
  ISSUED,
  SPEC_TOKEN,
  startWireService,
} from '../testing/wire-service.ts';

/** The worked examples of spec/protocol.md 11 over real sockets, byte for byte. */

const STREAMS: readonly ScriptedStream[] = [
  { name: 'lists', priority: 1, buckets: () => ['lists|0["u1"]'] },
  { name: 'todos', isDefault: false, buckets: () => ['todos|0["L1"]'] },
];

const TODO_1 = {
  bucket: '7#todos|0["L1"]',
  objectType: 'todos',
  objectId: 'T1',
  subkey: 'T-todos/21111111-1111-5111-8111-111111111111',
};
const ROWS: readonly ScriptedRow[] = [
  {
    bucket: '7#lists|0["u1"]',
    objectType: 'lists',
    objectId: 'L1',
    subkey: 'T-lists/11111111-1111-5111-8111-111111111111',
    checksum: 3687929421,
    data: '{"id":"L1","name":"Groceries","owner_id":"u1"}',
  },
  {
    ...TODO_1,
    checksum: 3603514498,
    data: '{"id":"T1","list_id":"L1","title":"Milk","qty":2}',
  },
  {
    ...TODO_1,
    objectId: 'T2',
    subkey: 'T-todos/22222222-2222-5222-8222-222222222222',
    checksum: 3247161619,
    data: '{"id":"T2","list_id":"L1","title":"Bread","qty":1}',
  },
];

/** L1 to L9 of 11.5. */
const LINES = String.raw`{"checkpoint":{"last_op_id":"3","buckets":[{"bucket":"7#lists|0[\"u1\"]","checksum":-607037875,"count":1,"priority":1,"subscriptions":[{"default":0}]},{"bucket":"7#todos|0[\"L1\"]","checksum":-1739258475,"count":2,"priority":3,"subscriptions":[{"sub":0}]}],"streams":[{"name":"lists","is_default":true,"errors":[]},{"name":"todos","is_default":false,"errors":[]}]}}
{"data":{"bucket":"7#lists|0[\"u1\"]","after":"0","has_more":false,"data":[{"op_id":"1","op":"PUT","object_type":"lists","object_id":"L1","checksum":3687929421,"subkey":"T-lists/11111111-1111-5111-8111-111111111111","data":"{\"id\":\"L1\",\"name\":\"Groceries\",\"owner_id\":\"u1\"}"}],"next_after":"1"}}
{"partial_checkpoint_complete":{"last_op_id":"3","priority":1}}
{"data":{"bucket":"7#todos|0[\"L1\"]","after":"0","has_more":false,"data":[{"op_id":"2","op":"PUT","object_type":"todos","object_id":"T1","checksum":3603514498,"subkey":"T-todos/21111111-1111-5111-8111-111111111111","data":"{\"id\":\"T1\",\"list_id\":\"L1\",\"title\":\"Milk\",\"qty\":2}"},{"op_id":"3","op":"PUT","object_type":"todos","object_id":"T2","checksum":3247161619,"subkey":"T-todos/22222222-2222-5222-8222-222222222222","data":"{\"id\":\"T2\",\"list_id\":\"L1\",\"title\":\"Bread\",\"qty\":1}"}],"next_after":"3"}}
{"checkpoint_complete":{"last_op_id":"3"}}
{"token_expires_in":3540}
{"checkpoint_diff":{"last_op_id":"4","write_checkpoint":"1","removed_buckets":[],"updated_buckets":[{"bucket":"7#todos|0[\"L1\"]","checksum":-611357420,"count":3,"priority":3,"subscriptions":[{"sub":0}]}]}}
{"data":{"bucket":"7#todos|0[\"L1\"]","after":"3","has_more":false,"data":[{"op_id":"4","op":"REMOVE","object_type":"todos","object_id":"T1","checksum":1127901055,"subkey":"T-todos/21111111-1111-5111-8111-111111111111","data":null}],"next_after":"4"}}
{"checkpoint_complete":{"last_op_id":"4"}}
`;
const L6 = '{"token_expires_in":3540}\n';

/** 11.6 */
const BSON = {
  L2: '2f01000003646174610024010000026275636b6574001000000037236c697374737c305b227531225d0002616674657200020000003000086861735f6d6f72650000046461746100d3000000033000cb000000026f705f696400020000003100026f70000400000050555400026f626a6563745f7479706500060000006c6973747300026f626a6563745f696400030000004c310001636865636b73756d000000a0c92a7aeb41027375626b6579002d000000542d6c697374732f31313131313131312d313131312d353131312d383131312d313131313131313131313131000264617461002f0000007b226964223a224c31222c226e616d65223a2247726f636572696573222c226f776e65725f6964223a227531227d000000026e6578745f6166746572000200000031000000',
  L5: '3100000003636865636b706f696e745f636f6d706c6574650017000000026c6173745f6f705f6964000200000033000000',
  L6: '1b00000010746f6b656e5f657870697265735f696e00d40d000000',
};

const CLIENT_ID = 'f799e8d4-1598-435b-80c6-9197c4c48b02';
const REQUEST = {
  buckets: [],
  include_checksum: true,
  raw_data: true,
  binary_data: true,
  client_id: CLIENT_ID,
  parameters: {},
  streams: {
    include_defaults: true,
    subscriptions: [{ stream: 'todos', parameters: { list_id: 'L1' }, override_priority: null }],
  },
};

/** L1 to L9 as they happen: L6 when the token has 3540 s left, L7 once a write was uploaded. */
async function session(transport: WireTransport, body: object = REQUEST) {
  const service = await startWireService({ streams: STREAMS, nowSeconds: ISSUED + 40 });
  const { backend, clock, storage, url } = service;
  storage.commit(GENERATION, { rows: ROWS, position: 'h0' });
  const stream = await openStream(url, transport, { body });
  await stream.untilLines(5);
  const isHttp = transport.startsWith('HTTP');
  await clock.advance(20_000);
  await stream.untilLines(isHttp ? 6 : 5);
  backend.head = 'h1';
  const answer = await fetch(`${url}/write-checkpoint2.json?client_id=${CLIENT_ID}`, {
    headers: { authorization: `Token ${SPEC_TOKEN}`, 'content-type': 'application/json' },
  });
  expect(await answer.text()).toBe('{"data":{"write_checkpoint":"1"}}');
  storage.commit(GENERATION, { rows: [{ ...TODO_1, checksum: 1127901055 }], position: 'h1' });
  await stream.untilLines(isHttp ? 9 : 8);
  return { stream, service };
}

describe('11.5, 11.6: the complete session', () => {
  it.each(TRANSPORTS)('over %s', async (transport) => {
    const { stream } = await session(transport);
    const isHttp = transport.startsWith('HTTP');
    // Over RSocket there are no periodic token lines (2.9).
    const expected = isHttp ? LINES : LINES.replace(L6, '');
    if (transport === 'HTTP NDJSON') expect(stream.bytes().toString()).toBe(expected);
    const parsed = expected
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(stream.lines()).toEqual(parsed);
    if (transport === 'HTTP NDJSON') return;
    const hex = stream.bytes().toString('hex');
    expect(hex).toContain(BSON.L2);
    expect(hex).toContain(isHttp ? BSON.L5 + BSON.L6 : BSON.L5);
  });

  it('in the legacy form: the row of L2 as a nested object, and nothing else differs', async () => {
    const { raw_data: _, ...legacy } = REQUEST;
    const { stream } = await session('HTTP NDJSON', legacy);
    const [, second, third] = stream.bytes().toString().split('\n');
    const [, whole = ''] = LINES.split('\n');
    const asText = String.raw`"data":"{\"id\":\"L1\",\"name\":\"Groceries\",\"owner_id\":\"u1\"}"`;
    expect(whole).toContain(asText);
    expect(second).toBe(
      whole.replace(asText, '"data":{"id":"L1","name":"Groceries","owner_id":"u1"}'),
    );
    expect(third).toBe('{"partial_checkpoint_complete":{"last_op_id":"3","priority":1}}');
  });

  it.each(TRANSPORTS)(
    'a reconnect over %s: one checkpoint and its completion',
    async (transport) => {
      const { service } = await session(transport);
      const buckets = ['7#lists|0["u1"]', '7#todos|0["L1"]'].map((name) => ({ name, after: '4' }));
      const again = await openStream(service.url, transport, { body: { ...REQUEST, buckets } });
      await again.untilLines(2);
      const [first, ...rest] = again.lines();
      expect(first).toMatchObject({ checkpoint: { last_op_id: '4', write_checkpoint: '1' } });
      expect(JSON.stringify(rest)).not.toContain('"data"');
      expect(rest.at(-1)).toEqual({ checkpoint_complete: { last_op_id: '4' } });
    },
  );
});

describe('11.7: RSocket frames', () => {
  const frames = {
    setup:
      '0000000005000001000000004e2000015f90106170706c69636174696f6e2f6a736f6e106170706c69636174696f6e2f6a736f6e0000487b22746f6b656e223a22546f6b656e2065794a68624763694f694a49557a49314e694a392e6533302e4141222c22757365725f6167656e74223a226578616d706c652f312e30227d',
    requestStream:
      '0000000119000000000a0000177b2270617468223a222f73796e632f73747265616d227d7b226275636b657473223a5b5d2c227261775f64617461223a747275652c22636c69656e745f6964223a226331222c22706172616d6574657273223a7b7d7d',
    requestN: '00000001200000000005',
    keepalive: '000000000c800000000000000000',
    cancel: '000000012400',
  };
  const ANSWERS = {
    line: `000000012820${BSON.L5}`,
    keepalive: '000000000c000000000000000000',
    complete: '000000012840',
  };

  async function connect(...hex: readonly string[]) {
    const service = await startWireService();
    // The token of the example has no signature.
    service.backend.verifyUser = () =>
      Promise.resolve({ claims: { sub: 'u1' }, expiresAtMs: EXPIRES * 1000 });
    const client = await RawRSocketClient.open(service.url);
    const send = (...frames_: readonly string[]) =>
      client.send(...frames_.map((text) => Buffer.from(text, 'hex')));
    send(...hex);
    const received = () => client.messages.map((message) => message.toString('hex'));
    const untilReceived = (text: string) =>
      until(`the frame ${text}`, () => received().includes(text), 5000);
    return { ...service, client, send, received, untilReceived };
  }

  it('SETUP, REQUEST_STREAM, REQUEST_N, KEEPALIVE and CANCEL give what is written there', async () => {
    const { backend, send, received, untilReceived, client, server } = await connect();
    const five = Buffer.from(BSON.L5, 'hex');
    backend.stream = async function* ({ signal }) {
      for (let line = 0; line < 20; line += 1) yield [five];
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    send(frames.setup, frames.requestStream, frames.keepalive);
    await untilReceived(ANSWERS.keepalive);
    await until('10 lines', () => client.lines().length === 10);
    send(frames.requestN);
    await until('15 lines', () => client.lines().length === 15);
    expect(new Set(received())).toEqual(new Set([ANSWERS.line, ANSWERS.keepalive]));
    expect(backend.opened).toMatchObject([{ user: 'u1/c1', request: { rawData: true } }]);
    send(frames.cancel);
    await until('the stream has ended', () => server.streamCount === 0);
    expect(client.closed).toBe(false);
  });

  it('the end is PAYLOAD with COMPLETE', async () => {
    const { backend, send, untilReceived } = await connect();
    backend.stream = async function* () {
      yield [LINE(1)];
    };
    send(frames.setup, frames.requestStream);
    await untilReceived(ANSWERS.complete);
  });

  it('a SETUP that is refused: stream 0, code 3, and the text', async () => {
    const service = await startWireService({ nowSeconds: EXPIRES + 60 });
    const client = await RawRSocketClient.open(service.url);
    const expired = await openStream(service.url, 'RSocket JSON');
    expect(await expired.end()).toMatchObject({
      kind: 'refused',
      text: expect.stringMatching(/^\[PSYNC_S2103\] .+\n {2}/) as unknown,
    });
    client.send(Buffer.from(frames.setup, 'hex'));
    await client.error();
    expect(client.messages[0]?.toString('hex')).toMatch(/^000000002c00000000035b5053594e435f5332/);
  });

  it('a stream that fails: its id, code 0x201, and the text', async () => {
    const service = await startWireService({ isDeployed: false });
    service.backend.verifyUser = () =>
      Promise.resolve({ claims: { sub: 'u1' }, expiresAtMs: EXPIRES * 1000 });
    const client = await RawRSocketClient.open(service.url);
    client.send(Buffer.from(frames.setup, 'hex'), Buffer.from(frames.requestStream, 'hex'));
    await client.error();
    const text = Buffer.from('[PSYNC_S2302] ').toString('hex');
    expect(client.messages[0]?.toString('hex')).toMatch(new RegExp(`^000000012c0000000201${text}`));
  });
});

describe('11.8: the development token', () => {
  it.each(TRANSPORTS)(
    'over %s serves until it expires, and tells that for a minute',
    async (transport) => {
      const isTold = async (late: number): Promise<void> => {
        const { url } = await startWireService({ streams: STREAMS, nowSeconds: EXPIRES + late });
        const stream = await openStream(url, transport);
        expect(await stream.end()).toEqual({ kind: 'ended' });
        expect(stream.lines()).toEqual([{ token_expires_in: 0 }]);
      };
      await Promise.all([isTold(0), isTold(59)]);
      const { url } = await startWireService({ streams: STREAMS, nowSeconds: EXPIRES + 60 });
      const refused = await (await openStream(url, transport)).end();
      expect(refused).toMatchObject({
        kind: 'refused',
        text: expect.stringContaining('PSYNC_S2103') as unknown,
        ...(transport.startsWith('HTTP') ? { status: 401 } : {}),
      });
    },
  );
});
