import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { until } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { streamFetch } from './stream-fetch.ts';

/** Each path answers in its own way. */
const ANSWERS: Readonly<Record<string, (request: http.IncomingMessage, body: string) => Answer>> = {
  '/echo': ({ method, headers }, body) => ({
    headers: { 'Content-Type': 'application/json', 'X-Two': ['a', 'b'] },
    body: [
      JSON.stringify({
        method,
        body,
        token: headers.authorization,
        length: headers['content-length'],
      }),
    ],
  }),
  '/gzip': () => ({
    headers: { 'Content-Encoding': 'gzip' },
    body: [gzipSync('ä'.repeat(99_999))],
  }),
  '/two-members': () => ({
    headers: { 'Content-Encoding': 'gzip' },
    body: [gzipSync('first,'), gzipSync('second')],
  }),
  '/refused': () => ({ status: 401, body: ['{"error":{"code":"PSYNC_S2101"}}'] }),
  '/none': () => ({ status: 204, body: [] }),
  '/moved': () => ({ status: 307, headers: { Location: '/echo' }, body: [] }),
  '/cut': () => ({ headers: { 'Content-Length': '100' }, body: ['some'], isCut: true }),
  '/cut-gzip': () => ({
    headers: { 'Content-Encoding': 'gzip' },
    body: [gzipSync('x'.repeat(5000)).subarray(0, 20)],
  }),
};

interface Answer {
  readonly status?: number;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body: readonly (string | Uint8Array)[];
  readonly isCut?: boolean;
}

let origin = '';
/** The response of `/open`, which goes on until the test ends it. */
let open: http.ServerResponse | undefined;

const server = http.createServer(async (request, response) => {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  if (request.url === '/open') {
    open = response.writeHead(200, { 'Content-Encoding': 'gzip' });
    response.flushHeaders();
    return;
  }
  if (request.url === '/silent') return;
  const answer = ANSWERS[request.url ?? '']?.(request, text);
  response.writeHead(answer?.status ?? 200, answer?.headers);
  for (const part of answer?.body ?? []) response.write(part);
  if (answer?.isCut) setImmediate(() => response.destroy());
  else response.end();
});

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function outcome(run: typeof streamFetch, path: string) {
  const init = { method: 'POST', headers: { Authorization: 'Token t' }, body: '{"ä":1}' };
  const response = await run(`${origin}${path}`, init);
  const { status, headers } = response;
  const body = await response.text().catch((error: Error) => `fails: ${error.constructor.name}`);
  return { status, body: body.startsWith('fails') ? 'fails' : body, two: headers.get('x-two') };
}

test.each(Object.keys(ANSWERS))('%s gives what the built-in fetch gives', async (path) => {
  expect(await outcome(streamFetch, path)).toEqual(await outcome(fetch, path));
});

test('what cannot be reached rejects', async () => {
  await expect(streamFetch('http://127.0.0.1:1/', {})).rejects.toThrow('ECONNREFUSED');
  await expect(streamFetch('no url', {})).rejects.toThrow('Invalid URL');
});

describe('an open response', () => {
  test('is read as it comes, compressed', async () => {
    const response = await streamFetch(`${origin}/open`, {});
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (const line of ['first', 'second']) {
      open?.write(gzipSync(line));
      expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe(line);
    }
    await reader.cancel();
    await until('the server sees it closed', () => open?.closed === true);
  });

  test.each(['/silent', '/open'])('%s ends with the reason of an abort', async (path) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const signal = controller.signal;
    const read = streamFetch(`${origin}${path}`, { signal }).then(async ({ body }) => {
      setImmediate(() => controller.abort(reason));
      return body?.getReader().read();
    });
    if (path === '/silent') setImmediate(() => controller.abort(reason));
    await expect(read).rejects.toBe(reason);
    await expect(streamFetch(`${origin}/echo`, { signal })).rejects.toBe(reason);
  });

  test('that nobody reads holds the server back', async () => {
    const response = await streamFetch(`${origin}/open`, {});
    const piece = gzipSync(Buffer.alloc(1 << 20, 'x'), { level: 0 });
    let sent = 0;
    while (open?.write(piece) === true || (open !== undefined && open.writableLength < 4 << 20)) {
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
      expect(sent).toBeLessThan(64);
    }
    await response.body?.cancel();
  });
});
