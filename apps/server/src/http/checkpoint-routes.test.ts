import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listenScripted } from '../testing/listen-scripted.ts';
import { ScriptedBackend } from '../testing/scripted-backend.ts';
import type { HttpServer } from './http-server.ts';

let backend: ScriptedBackend;
let server: HttpServer;

beforeEach(async () => {
  backend = new ScriptedBackend();
  server = await listenScripted({
    backend,
  });
});
afterEach(() => server.close(0));

const GOOD = { authorization: 'Token good' };
const JSON_TYPE = { 'content-type': 'application/json' };

// spec/protocol.md 1.2, 5.2
describe('POST /sync/checkpoint-request', () => {
  const ask = (body: unknown, headers: Record<string, string> = GOOD) =>
    fetch(`${server.url}/sync/checkpoint-request`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { ...JSON_TYPE, ...headers },
    });
  const refusalOf = async (answer: Promise<Response>) => {
    const response = await answer;
    const { error } = (await response.json()) as { error: { code: string } };
    return [response.status, error.code];
  };

  it.each([
    [1, '42'],
    ['42', '42'],
    [43, '43'],
    ['43', '43'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    ['9007199254740993', '9007199254740993'],
    ['9223372036854775807', '9223372036854775807'],
  ])('answers a request for %j with the stored value as digits', async (id, stored) => {
    const response = await ask({ client_id: 'c', checkpoint_request_id: id, more: 1 });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe(`{"data":{"checkpoint_request_id":"${stored}"}}`);
    expect(backend.checkpointRequests).toEqual([['u1/c', BigInt(id)]]);
  });

  it.each([
    {},
    { client_id: 'c' },
    { checkpoint_request_id: 1 },
    ...[0, -1, 1.5, 2 ** 53, null, true, [1], '', '0', '-1', '1.5', '1e3', ' 1', '0x1'].map(
      (id) => ({ client_id: 'c', checkpoint_request_id: id }),
    ),
    { client_id: 'c', checkpoint_request_id: '9223372036854775808' },
    { client_id: 'c', checkpoint_request_id: '9'.repeat(100_000) },
    ...[null, 1, ['c']].map((client) => ({ client_id: client, checkpoint_request_id: 1 })),
  ])('refuses $client_id, $checkpoint_request_id before it looks at the token', async (body) => {
    expect(await refusalOf(ask(body, {}))).toEqual([400, 'PSYNC_S2001']);
    expect(backend.checkpointRequests).toEqual([]);
  });

  it('wants a token', async () => {
    const body = { client_id: 'c', checkpoint_request_id: 1 };
    expect(await refusalOf(ask(body, {}))).toEqual([401, 'PSYNC_S2106']);
    const expired = { authorization: 'Token old' };
    expect(await refusalOf(ask(body, expired))).toEqual([401, 'PSYNC_S2103']);
  });
});

// spec/protocol.md 1.1.7
describe('the checkpoint routes together', () => {
  it('run 100, queue 100, and answer 429 with an empty body above', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let running = 0;
    backend.writeCheckpoint = async () => {
      running += 1;
      await held;
      return 7n;
    };
    const get = () => fetch(`${server.url}/write-checkpoint2.json`, { headers: GOOD });
    const answers = Array.from({ length: 200 }, get);
    await vi.waitFor(() => expect(running).toBe(100), 10_000);
    // Which of the later ones come before these is not known, so ask until there is no room.
    await vi.waitFor(async () => {
      const body = '{"client_id":"c","checkpoint_request_id":1}';
      const over = await fetch(`${server.url}/sync/checkpoint-request`, {
        method: 'POST',
        headers: { ...GOOD, ...JSON_TYPE },
        body,
        signal: AbortSignal.timeout(500),
      });
      expect([over.status, await over.text()]).toEqual([429, '']);
    }, 10_000);
    release();
    // Those that asked in between have taken some of the places.
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.filter((status) => ![200, 429].includes(status))).toEqual([]);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(100);
  });
});
