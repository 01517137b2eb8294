import type { Line } from '@sluice/protocol';
import { FakeClock } from '@sluice/testing';
import { serialize } from 'bson';
import { describe, expect, test } from 'vitest';
import { HttpTransport } from './http-transport.ts';

const LINES = [{ token_expires_in: 60 }, { checkpoint_complete: { last_op_id: '3' } }];
const BSON = 'application/vnd.powersync.bson-stream';

function transportOf(answer: (init: RequestInit | undefined) => Promise<Response>) {
  const clock = new FakeClock();
  const transport = new HttpTransport({
    fetch: (_url, init) => answer(init),
    clock: {
      now: () => clock.now(),
      elapsed: () => clock.now(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
    },
    userAgent: 'example/1.0',
    maxLineBytes: 1_000,
  });
  const controller = new AbortController();
  const open = () =>
    transport.open({
      credentials: { endpoint: 'http://service', token: 'jwt' },
      body: '{}',
      signal: controller.signal,
    });
  return { clock, controller, open };
}

function response(body: Uint8Array<ArrayBuffer>, contentType: string): Promise<Response> {
  return Promise.resolve(new Response(body, { headers: { 'Content-Type': contentType } }));
}

async function all(stream: AsyncIterable<readonly Line[]>): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for await (const batch of stream) lines.push(...batch);
  return lines;
}

test.each([
  [
    'NDJSON',
    Buffer.from(LINES.map((line) => JSON.stringify(line)).join('\n')),
    'application/x-ndjson',
  ],
  ['BSON', Buffer.concat(LINES.map((line) => serialize(line))), BSON],
  [
    'NDJSON under another name',
    Buffer.from(`${JSON.stringify(LINES[0])}\n${JSON.stringify(LINES[1])}\n`),
    'text/plain',
  ],
])('%s is read by what the service says that it is', async (_format, body, contentType) => {
  const { open } = transportOf(() => response(Uint8Array.from(body), contentType));
  expect(await all(await open())).toEqual([
    { kind: 'token_expires_in', seconds: 60 },
    { kind: 'checkpoint_complete', lastOpId: 3n },
  ]);
});

describe('failures', () => {
  test.each<[what: string, answer: () => Promise<Response>, error: object]>([
    [
      'a refused token',
      () =>
        Promise.resolve(
          new Response('{"error":{"code":"PSYNC_S2103","description":"expired"}}', { status: 401 }),
        ),
      {
        code: 'UNAUTHORIZED',
        unauthorized: true,
        message: 'The service answered 401: PSYNC_S2103 expired',
      },
    ],
    [
      'a page of a proxy',
      () => Promise.resolve(new Response('<html>Bad gateway', { status: 502 })),
      {
        code: 'SERVICE',
        unauthorized: false,
        message: 'The service answered 502: <html>Bad gateway',
      },
    ],
    [
      'another success',
      () => Promise.resolve(new Response(null, { status: 204 })),
      { code: 'SERVICE' },
    ],
    ['no network', () => Promise.reject(new TypeError('fetch failed')), { code: 'NETWORK' }],
  ])('%s', async (_what, answer, error) => {
    await expect(transportOf(answer).open()).rejects.toMatchObject(error);
  });

  test.each([
    ['a line that is too long', 'x'.repeat(1_001), 'application/x-ndjson'],
    ['a line that is none', '{"a":1,"b":2}\n', 'application/x-ndjson'],
    ['an end inside a document', serialize(LINES[0] ?? {}).subarray(0, 10), BSON],
  ])('%s', async (_what, body, contentType) => {
    const { open } = transportOf(() => response(Uint8Array.from(Buffer.from(body)), contentType));
    await expect(open().then(all)).rejects.toMatchObject({ code: 'PROTOCOL' });
  });

  test('a service that does not answer within 45 s is given up', async () => {
    const { clock, open } = transportOf(() => new Promise(() => undefined));
    const failed = expect(open()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(45_000);
    await failed;
  });
});

test('whoever stops reading hangs up', async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) =>
      controller.enqueue(new TextEncoder().encode('{"token_expires_in":60}\n')),
    cancel: () => void (cancelled = true),
  });
  const { open } = transportOf(() => Promise.resolve(new Response(body)));
  for await (const lines of await open()) {
    expect(lines).toHaveLength(1);
    break;
  }
  expect(cancelled).toBe(true);
});
