import { randomBytes } from 'node:crypto';
import { serialize } from 'bson';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger, type LogFacts } from '@sluice/base';
import { until } from '@sluice/testing';
import { listenScripted } from '../testing/listen-scripted.ts';
import type { HttpServer, HttpServerOptions } from '../http/http-server.ts';
import {
  header,
  JSON_MIME,
  LINE,
  RawRSocketClient,
  request,
  requestN,
  setup,
  type SetupOptions,
} from '../testing/raw-rsocket-client.ts';
import { ScriptedBackend } from '../testing/scripted-backend.ts';

let backend: ScriptedBackend;
let server: HttpServer;
const clients: RawRSocketClient[] = [];

async function openClient(): Promise<RawRSocketClient> {
  const client = await RawRSocketClient.open(server.url);
  clients.push(client);
  return client;
}

async function listen(options: Partial<HttpServerOptions> = {}): Promise<void> {
  server = await listenScripted({
    completeDelayMs: 20,
    backend,
    ...options,
  });
}

beforeEach(async () => {
  backend = new ScriptedBackend();
  await listen();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate();
  await server.close(0);
});

/** A stream of `count` lines that goes on until the client leaves; two lines to a batch. */
function scriptLines(count: number): void {
  backend.stream = async function* ({ signal }) {
    for (let n = 0; n < count; n += 2) yield [LINE(n), LINE(n + 1).subarray(0, 3), LINE(n + 1).subarray(3)]; // prettier-ignore
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
}

describe('a stream over RSocket', () => {
  it.each([JSON_MIME, 'application/bson'])('gives BSON lines after a setup in %s', async (mime) => {
    backend.stream = async function* () {
      yield [LINE(1), LINE(2)];
    };
    const client = await openClient();
    // Both at once, as clients do: the request waits until the token is verified.
    client.send(setup({ mime }), request({ mime, body: { client_id: 'c1', buckets: [] } }));
    await until('the end', () => client.frames.some((f) => f.kind === 'payload' && f.complete));
    expect(client.lines()).toEqual([{ token_expires_in: 1 }, { token_expires_in: 2 }]);
    expect(backend.opened).toHaveLength(1);
    expect(backend.opened[0]).toMatchObject({ user: 'u1/c1', format: 'bson', keepalive: false });
  });

  // spec/protocol.md 3.3, 9: what the SDKs in use send over WebSockets
  const CORE_BODY = {
    buckets: [],
    include_checksum: true,
    raw_data: true,
    binary_data: true,
    client_id: 'c1',
    parameters: {},
    streams: { include_defaults: false, subscriptions: [] },
  };
  const { streams: _, binary_data: __, ...WITHOUT_STREAMS } = CORE_BODY;
  const BSON_MIME = 'application/bson';
  it.each<{
    readonly client: string;
    readonly setup: SetupOptions;
    readonly n: number;
    readonly body: object;
    readonly user: string;
    readonly includeDefaults: boolean;
  }>([
    {
      client: 'JS since 1.46, with the core',
      setup: { userAgent: 'powersync-js/1.52', lifetimeMs: 90_000 },
      n: 10,
      body: CORE_BODY,
      user: 'u1/c1',
      includeDefaults: false,
    },
    {
      client: 'JS 1.17 to 1.57, without the core',
      setup: { userAgent: 'powersync-js/1.30', mime: BSON_MIME },
      n: 1,
      body: WITHOUT_STREAMS,
      user: 'u1/c1',
      includeDefaults: true,
    },
    {
      client: 'JS 1.9 to 1.16, without user_agent and client_id',
      setup: { mime: BSON_MIME },
      n: 10,
      body: { buckets: [], include_checksum: true, raw_data: true },
      user: 'u1',
      includeDefaults: true,
    },
    {
      client: 'Kotlin, with Bearer and data in its setup',
      setup: { token: 'Bearer good', userAgent: 'powersync-kotlin/1.13.0', data: '{}' },
      n: 64,
      body: CORE_BODY,
      user: 'u1/c1',
      includeDefaults: false,
    },
    {
      client: 'one whose metadata and data differ in type',
      setup: { mime: JSON_MIME, dataMime: BSON_MIME },
      n: 10,
      body: CORE_BODY,
      user: 'u1/c1',
      includeDefaults: false,
    },
  ])('serves $client', async ({ setup: options, n, body, user, includeDefaults }) => {
    backend.stream = async function* () {
      yield [LINE(1)];
    };
    const { mime = JSON_MIME, dataMime = mime } = options;
    const client = await openClient();
    client.send(setup(options), request({ n, mime, dataMime, body }));
    await until('the line', () => client.lines().length === 1);
    client.send(requestN(1)); // as clients do after each line
    await until('the end', () => client.frames.some((f) => f.kind === 'payload' && f.complete));
    expect(client.lines()).toEqual([{ token_expires_in: 1 }]);
    expect(backend.opened).toHaveLength(1);
    expect(backend.opened[0]).toMatchObject({ user, format: 'bson', request: { includeDefaults } });
  });

  it('sends no line without credit', async () => {
    scriptLines(6);
    const client = await openClient();
    client.send(setup(), request({ n: 3 }));
    await until('three lines', () => client.lines().length === 3);
    client.send(Buffer.from('000000000c800000000000000000', 'hex'));
    await client.frame('keepalive'); // what was to be sent before would have come before
    expect(client.lines()).toHaveLength(3);
    client.send(requestN(2));
    await until('five lines', () => client.lines().length === 5);
    expect(client.lines().map((line) => Object.values(line as object)[0])).toEqual([0, 1, 2, 3, 4]);
  });

  it.each([
    ['a CANCEL', (client: RawRSocketClient) => client.send(Buffer.from('000000012400', 'hex'))],
    ['the end of the connection', (client: RawRSocketClient) => client.socket.terminate()],
  ])('ends with %s', async (_what, leave) => {
    scriptLines(2);
    const client = await openClient();
    client.send(setup(), request());
    await until('lines', () => client.lines().length === 2);
    expect(server.streamCount).toBe(1);
    leave(client);
    await until('the stream has ended', () => server.streamCount === 0);
  });

  it('is refused with the code of what is wrong, and the connection stays', async () => {
    const client = await openClient();
    client.send(setup(), request({ path: '/other', id: 1 }));
    expect(await client.error()).toMatchObject({
      streamId: 1,
      code: 0x201,
      message: expect.stringContaining('[PSYNC_S2002] ') as unknown,
    });
    client.send(request({ id: 3, body: { parameters: [] } }));
    await until('the second refusal', () => client.frames.length === 2);
    expect(client.frames[1]).toMatchObject({
      streamId: 3,
      message: expect.stringContaining('[PSYNC_S2001] ') as unknown,
    });
    expect(client.closed).toBe(false);
  });

  it('puts requests together that come in several frames', async () => {
    const client = await openClient();
    const whole = request({ body: { client_id: 'long' } });
    const first = Buffer.from(whole.subarray(0, 40));
    first.writeUInt16BE((6 << 10) | 0x180, 4);
    const second = Buffer.concat([header(1, 10, 0x20), whole.subarray(40)]);
    client.send(setup(), first, second);
    await until('the stream', () => backend.opened.length === 1);
    expect(backend.opened[0]?.user).toBe('u1/long');
  });
});

describe('a client that does not take what it is sent', () => {
  const logged: [string, LogFacts | undefined][] = [];
  const limits = { maxConcurrentConnections: 3, maxBytesInFlight: 1 << 28 };

  beforeEach(async () => {
    await server.close(0);
    logged.length = 0;
    const warn = (event: string, facts?: LogFacts) => void logged.push([event, facts]);
    await listen({
      limits: { ...limits, slowClientTimeoutMs: 1500 },
      logger: { ...silentLogger, warn },
    });
  });

  const isDropped = () => server.streams.closed.client_too_slow === 1;
  const logLine: unknown = [
    'stream_closed',
    expect.objectContaining({
      code: 'SYNC_CLIENT_TOO_SLOW',
      reason: 'client_too_slow',
      transport: 'websocket',
    }),
  ];

  it('and grants no credit loses its stream and is told why; others go on', async () => {
    scriptLines(6);
    const other = await openClient();
    other.send(setup(), request({ n: 1000 }));
    const slow = await openClient();
    slow.send(setup(), request({ n: 2 }));
    expect(await slow.error()).toMatchObject({ streamId: 1, code: 0x201 });
    expect(slow.lines()).toHaveLength(2);
    await until('it is dropped', isDropped);
    expect(server.streams.tooSlow).toEqual({ http: 0, websocket: 1 });
    expect(server.streams.open.websocket).toBe(1);
    expect(server.bytesInFlight).toBe(0);
    expect(logged).toContainEqual(logLine);
    expect(slow.closed).toBe(false);
    slow.send(request({ n: 100, id: 3 }));
    await until('another stream', () => slow.lines().length === 8);
  });

  it('and grants credit in time keeps its stream', async () => {
    scriptLines(20);
    const client = await openClient();
    client.send(setup(), request({ n: 1 }));
    for (let n = 1; n <= 20; n += 1) {
      await until('a line', () => client.lines().length === n);
      await new Promise((resolve) => setTimeout(resolve, 100));
      client.send(requestN(1));
    }
    expect(server.streams.open.websocket).toBe(1);
    expect(isDropped()).toBe(false);
  });

  it('and does not read its socket loses its connection, whatever credit it gave', async () => {
    const large = Buffer.from(serialize({ data: randomBytes(1 << 20) }));
    let sent = 0;
    backend.stream = async function* ({ signal }) {
      for (; !signal.aborted; sent += 1) yield [large];
    };
    const client = await openClient();
    client.socket.pause();
    client.send(setup(), request({ n: 2 ** 31 - 1 }));
    await until('it is dropped', isDropped, 20_000);
    await until('the connection is closed', () => server.streamCount === 0);
    expect(server.bytesInFlight).toBe(0);
    expect(logged).toContainEqual(logLine);
    expect(sent).toBeLessThan(100);
    client.socket.resume();
    await until('the client sees it', () => client.closed);
  });
});

describe('a setup', () => {
  it.each([
    ['an expired token', setup({ token: 'Token old' }), 3, '[PSYNC_S2103] '],
    ['no metadata', setup({ token: '' }), 3, '[PSYNC_S2101] '],
    ['another scheme', setup({ token: 'Basic x' }), 3, '[PSYNC_S2106] '],
    ['another encoding', setup({ mime: 'text/plain' }), 3, '[PSYNC_S2004] '],
    ['resumption', setup({ flags: 0x80 }), 3, '[PSYNC_'],
    ['another first frame', request(), 2, 'SETUP'],
    ['a RESUME frame', Buffer.from('000000003400', 'hex'), 4, 'resumed'],
    ['no frame at all', Buffer.from('00', 'hex'), 0x101, 'cut off'],
  ])('is refused for %s', async (_what, frame, code, text) => {
    const client = await openClient();
    client.send(frame);
    const error = await client.error();
    expect(error).toMatchObject({ streamId: 0, code });
    expect(error.message).toContain(text);
    await until('the connection is closed', () => client.closed);
  });

  it('is refused when too many are connected, until one leaves', async () => {
    const first = await openClient();
    first.send(setup());
    const second = await openClient();
    second.send(setup());
    const third = await openClient();
    third.send(setup());
    expect((await third.error()).message).toContain('[PSYNC_S2304] ');
    first.socket.terminate();
    await until('there is room', async () => {
      const next = await openClient();
      next.send(setup(), Buffer.from('000000000c800000000000000000', 'hex'), request());
      await until('an answer', () => next.frames.some(({ kind }) => kind !== 'keepalive'));
      return next.frames.every(({ kind }) => kind !== 'error');
    });
  });

  it('drops a client that is silent for longer than it said', async () => {
    const client = await openClient();
    client.send(setup({ lifetimeMs: 1 }));
    await until('the connection is dropped', () => client.closed, 10_000);
  });
});

it('ends streams with COMPLETE before it closes', async () => {
  let end: () => void = () => {};
  backend.stream = async function* () {
    yield [LINE(1)];
    await new Promise<void>((resolve) => (end = resolve));
  };
  const client = await openClient();
  client.send(setup(), request());
  await until('a line', () => client.lines().length === 1);
  const closed = server.close(5000);
  end();
  await closed;
  await until('the connection is closed', () => client.closed);
  expect(client.frames.at(-1)).toMatchObject({ kind: 'payload', complete: true });
});

it('gives a client time to read the last line before COMPLETE, and sends none to one that left', async () => {
  await server.close(0);
  await listen({ completeDelayMs: undefined });
  backend.stream = async function* () {
    yield [LINE(1)];
  };
  const client = await openClient();
  client.send(setup(), request({ id: 1 }));
  await until('the last line', () => client.lines().length === 1);
  expect(client.frames.at(-1)).toMatchObject({ kind: 'payload', complete: false });
  client.send(header(1, 9, 0), request({ id: 3 })); // CANCEL
  const completed = () =>
    client.frames.filter((frame) => frame.kind === 'payload' && frame.complete);
  await until('a stream is completed', () => completed().length > 0);
  expect(completed()).toMatchObject([{ streamId: 3 }]);
});
