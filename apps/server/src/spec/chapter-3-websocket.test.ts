import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { serialize } from 'bson';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until, type ScriptedRow } from '@sluice/testing';
import { chunkBytesFor } from '../serving/new-sync-hub.ts';
import {
  header,
  LINE,
  RawRSocketClient,
  request,
  requestN,
  setup,
  type SetupOptions,
} from '../testing/raw-rsocket-client.ts';
import {
  EXPIRES,
  GENERATION,
  SPEC_TOKEN,
  startWireService,
  type WireService,
} from '../testing/wire-service.ts';

/** spec/protocol.md 3, as far as websocket/websocket-server.test.ts and chapter 11 do not have it. */

const TOKEN = `Token ${SPEC_TOKEN}`;
const good = (options: SetupOptions = {}): Buffer => setup({ token: TOKEN, ...options });

async function open(service: Pick<WireService, 'url'>, path?: string): Promise<RawRSocketClient> {
  const client = await RawRSocketClient.open(service.url, path);
  onTestFinished(() => client.socket.terminate());
  return client;
}

describe('3.1: the upgrade', () => {
  it.each(['/sync/stream', '/', '/any/path?x=1'])(
    'is accepted on %s, without a header or subprotocol',
    async (path) => {
      const service = await startWireService();
      service.storage.commit(GENERATION, {});
      const client = await open(service, path);
      client.send(good(), request());
      await until('a checkpoint and its completion', () => client.lines().length === 2);
      expect(client.socket.protocol).toBe('');
    },
  );

  it('offers permessage-deflate: the client keeps no context, the window of the server is 12 bits', async () => {
    const { url } = await startWireService();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET /sync/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n` +
        `Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n`,
    );
    const head = await new Promise<string>((resolve) =>
      socket.once('data', (bytes) => resolve(bytes.toString('latin1'))),
    );
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    const [, extensions = ''] = /sec-websocket-extensions: (.*)\r\n/i.exec(head) ?? [];
    expect(extensions.split('; ').toSorted()).toEqual([
      'client_no_context_takeover',
      'permessage-deflate',
      'server_max_window_bits=12',
    ]);
  });

  it('no lease: a SETUP that asks for it is refused as one that asks to be resumable', async () => {
    const service = await startWireService();
    for (const flags of [0x40, 0x80]) {
      const client = await open(service);
      client.send(good({ flags }));
      expect(await client.error()).toMatchObject({ streamId: 0, code: 3 });
      await until('the connection is closed', () => client.closed);
    }
  });

  it('the largest row fits a frame: below 2^24 bytes, whatever comes before it in its bucket', async () => {
    const service = await startWireService({
      streams: [{ name: 'a', buckets: () => ['a'] }],
      limits: { chunkBytes: chunkBytesFor(64 << 20) },
    });
    const bytes = 15 * 1024 * 1024 - 100;
    const row = (objectId: string, length: number): ScriptedRow => ({
      bucket: '7#a',
      objectId,
      checksum: 1,
      data: JSON.stringify({ id: objectId, text: 'x'.repeat(length) }),
    });
    const rows = [row('first', 980_000), row('largest', bytes), row('next', 200_000)];
    service.storage.commit(GENERATION, { rows });
    const client = await open(service);
    client.send(good(), request({ n: 100 }));
    await until('all', () =>
      client.lines().some((line) => 'checkpoint_complete' in (line as object)),
    );
    const largest = Math.max(...client.messages.map(({ length }) => length));
    expect(largest).toBeGreaterThan(bytes + 980_000);
    expect(largest).toBeLessThanOrEqual(16_777_215);
  });
});

describe('3.3, 3.4: setup and request', () => {
  it.each([
    ['an empty token', setup({ token: ' ' }), 'PSYNC_S2106'],
    ['a token without its scheme', setup({ token: SPEC_TOKEN }), 'PSYNC_S2106'],
    ['a scheme in lower case', setup({ token: `token ${SPEC_TOKEN}` }), 'PSYNC_S2106'],
    ['a token that is none', setup({ token: 'Token abc' }), 'PSYNC_S2101'],
    [
      'BSON that is none',
      setup({ token: TOKEN, mime: 'application/json', dataMime: 'text/csv' }),
      'PSYNC_S2004',
    ],
  ])('%s is refused with a code of its own', async (_what, frame, code) => {
    const client = await open(await startWireService());
    client.send(frame);
    const { streamId, code: rsocketCode, message } = await client.error();
    expect([streamId, rsocketCode]).toEqual([0, 3]);
    expect(message).toMatch(new RegExp(`^\\[${code}\\] .`));
  });

  it('a request without metadata is invalid, another path is none', async () => {
    const client = await open(await startWireService());
    const bare = Buffer.concat([header(1, 6, 0), Buffer.from([0, 0, 0, 10]), Buffer.from('{}')]);
    client.send(good(), bare);
    expect(await client.error()).toMatchObject({ streamId: 1, code: 0x201 });
    client.send(request({ id: 3, path: '/sync/other' }));
    await until('the second refusal', () => client.frames.length === 2);
    const messages = client.frames.map((frame) => (frame.kind === 'error' ? frame.message : ''));
    expect(messages).toMatchObject([
      expect.stringMatching(/^\[PSYNC_S2001\]/) as unknown,
      expect.stringMatching(/^\[PSYNC_S2002\]/) as unknown,
    ]);
  });

  it('several streams share a connection, each with its own credit', async () => {
    const service = await startWireService();
    service.storage.commit(GENERATION, {});
    const client = await open(service);
    client.send(good(), request({ id: 1, n: 1 }), request({ id: 3, n: 2 }));
    const linesOf = (id: number) =>
      client.frames.filter((frame) => frame.kind === 'payload' && frame.streamId === id).length;
    await until('three lines', () => client.lines().length === 3);
    expect([linesOf(1), linesOf(3)]).toEqual([1, 2]);
    client.send(requestN(1));
    await until('the fourth', () => linesOf(1) === 2);
  });
});

describe('3.6: credit', () => {
  it('the lines about expiry cost credit too, and come as soon as there is some', async () => {
    const service = await startWireService({ nowSeconds: EXPIRES - 30 });
    service.storage.commit(GENERATION, {});
    const client = await open(service);
    client.send(good(), request({ n: 2 }));
    await until('two lines', () => client.lines().length === 2);
    await service.clock.advance(10_000);
    const ping = Buffer.concat([header(0, 3, 0x80), Buffer.alloc(8), Buffer.from('here')]);
    client.send(ping);
    await client.frame('keepalive');
    expect(client.lines()).toHaveLength(2);
    client.send(requestN(1));
    await until('the warning', () => client.lines().length === 3);
    expect(client.lines()[2]).toEqual({ token_expires_in: 20 });
  });

  it('a stream without any credit can be cancelled', async () => {
    const service = await startWireService();
    service.storage.commit(GENERATION, {});
    const client = await open(service);
    client.send(good(), request({ n: 1 }));
    await until('a line', () => client.lines().length === 1);
    client.send(header(1, 9, 0));
    await until('the stream has ended', () => service.server.streamCount === 0);
    expect(client.closed).toBe(false);
  });
});

describe('3.7: keepalive', () => {
  it('is answered with RESPOND cleared and the same data, also before the setup is accepted', async () => {
    const service = await startWireService();
    let accept = (): void => {};
    const held = new Promise<void>((resolve) => (accept = resolve));
    service.backend.verifyUser = async () => {
      await held;
      return { claims: { sub: 'u1' }, expiresAtMs: EXPIRES * 1000 };
    };
    const client = await open(service);
    const data = Buffer.from('some data');
    client.send(good(), Buffer.concat([header(0, 3, 0x80), Buffer.alloc(8), data]));
    const answer = Buffer.concat([header(0, 3, 0), Buffer.alloc(8), data]);
    await until('the answer', () => client.messages[0]?.equals(answer) === true);
    accept();
  });

  it('is not answered when it does not ask for that', async () => {
    const client = await open(await startWireService());
    client.send(good(), Buffer.concat([header(0, 3, 0), Buffer.alloc(8), Buffer.from('quiet')]));
    client.send(Buffer.concat([header(0, 3, 0x80), Buffer.alloc(8), Buffer.from('loud')]));
    await client.frame('keepalive');
    expect(client.messages.map((message) => message.subarray(14).toString())).toEqual(['loud']);
  });
});

describe('3.8: errors', () => {
  it.each([
    ['REQUEST_RESPONSE', 0x04],
    ['REQUEST_FNF', 0x05],
    ['REQUEST_CHANNEL', 0x07],
  ])('%s is rejected with 0x202, and the connection stays', async (_name, type) => {
    const service = await startWireService();
    service.storage.commit(GENERATION, {});
    const client = await open(service);
    client.send(good(), Buffer.concat([header(1, type, 0), Buffer.alloc(8)]));
    expect(await client.error()).toMatchObject({ streamId: 1, code: 0x202 });
    client.send(request({ id: 3 }));
    await until('a stream all the same', () => client.lines().length === 2);
  });

  it('data that is not in the encoding of the setup is an error of the stream', async () => {
    const client = await open(await startWireService());
    client.send(good(), request({ dataMime: 'application/bson' }));
    const { streamId, code, message } = await client.error();
    expect([streamId, code]).toEqual([1, 0x201]);
    expect(message).toMatch(/^\[PSYNC_S2001\] /);
  });

  it('text messages and a second SETUP are errors of the connection', async () => {
    const service = await startWireService();
    const twice = await open(service);
    twice.send(good(), good());
    expect(await twice.error()).toMatchObject({ streamId: 0, code: 0x101 });
    const textual = await open(service);
    textual.socket.send('{}');
    expect(await textual.error()).toMatchObject({ streamId: 0, code: 0x101 });
  });
});

describe('3.5: payloads', () => {
  it('are one BSON document each, also when the request asks for other forms', async () => {
    const { backend, url } = await startWireService();
    const [first, second] = [
      LINE(1),
      Buffer.from(serialize({ checkpoint_complete: { last_op_id: '3' } })),
    ];
    backend.stream = async function* () {
      yield [Buffer.concat([first, second])];
    };
    const client = await open({ url });
    client.send(good(), request({ body: { raw_data: false } }));
    await until('two lines', () => client.lines().length === 2);
    const hex = client.messages.slice(0, 2).map((message) => message.toString('hex'));
    expect(hex).toEqual([first, second].map((line) => `000000012820${line.toString('hex')}`));
  });
});
