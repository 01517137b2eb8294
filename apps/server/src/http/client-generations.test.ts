import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CONTENT_TYPES, type StreamFormat } from '@sluice/protocol';
import { listenScripted } from '../testing/listen-scripted.ts';
import { LINES, ScriptedBackend } from '../testing/scripted-backend.ts';
import type { HttpServer } from './http-server.ts';

/**
 * What the SDKs in use send over HTTP (spec/protocol.md 9), as one table: the request of each
 * generation, and what it must get. Over WebSockets: websocket/websocket-server.test.ts.
 */
const BOTH = `${CONTENT_TYPES.bson};q=0.9,${CONTENT_TYPES.ndjson};q=0.8`;
const AGENT_JS = 'powersync-js/1.3.0 powersync-web Firefox/140 linux';

/** The keys that the shared core writes. */
const CORE_BODY = {
  buckets: [],
  include_checksum: true,
  raw_data: true,
  binary_data: true,
  client_id: 'c1',
  parameters: {},
  streams: { include_defaults: true, subscriptions: [] },
};
const { streams: _streams, binary_data: _binary, ...WITHOUT_STREAMS } = CORE_BODY;

interface Generation {
  readonly client: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
  readonly format: StreamFormat;
  /** U, which the write checkpoint route must use too. */
  readonly user: string;
  /** Undefined where the log cannot know. */
  readonly agent: string | undefined;
  readonly rawData: boolean;
}

const core = { body: CORE_BODY, user: 'u1/c1', rawData: true };
const GENERATIONS: readonly Generation[] = [
  { ...core, client: 'JS web 2.x', headers: { accept: BOTH, 'x-user-agent': AGENT_JS }, format: 'bson', agent: AGENT_JS },
  { ...core, client: 'JS node 1.x', headers: { accept: BOTH, 'x-user-agent': 'powersync-node', 'user-agent': 'undici' }, format: 'bson', agent: 'powersync-node' },
  { ...core, client: 'Capacitor of the 1.52 era', headers: { accept: CONTENT_TYPES.ndjson, 'x-user-agent': AGENT_JS }, format: 'ndjson', agent: AGENT_JS },
  { ...core, client: 'JS common 1.46 to 1.51', headers: { 'x-user-agent': AGENT_JS }, format: 'ndjson', agent: AGENT_JS },
  { ...core, client: 'JS common 1.17 to 1.45', headers: { 'x-user-agent': AGENT_JS }, body: WITHOUT_STREAMS, format: 'ndjson', agent: AGENT_JS },
  { client: 'JS common up to 1.16', headers: { 'user-agent': 'node' }, body: { buckets: [], include_checksum: true, raw_data: true }, format: 'ndjson', user: 'u1', agent: 'node', rawData: true },
  { client: 'before raw data', headers: { 'user-agent': 'node' }, body: { buckets: [], include_checksum: true }, format: 'ndjson', user: 'u1', agent: 'node', rawData: false },
  { ...core, client: 'Dart 2.2', headers: { accept: BOTH, 'user-agent': 'powersync-dart-core/2.2.0 Dart/3.9 linux' }, format: 'bson', agent: 'powersync-dart-core/2.2.0 Dart/3.9 linux' },
  { ...core, client: 'Kotlin 1.13', headers: { accept: CONTENT_TYPES.ndjson, 'user-agent': 'powersync-kotlin/1.13.0 android/35' }, format: 'ndjson', agent: 'powersync-kotlin/1.13.0 android/35' },
  { ...core, client: 'Swift 1.14', headers: { accept: CONTENT_TYPES.ndjson, 'user-agent': 'powersync-swift/1.14.4 iOS/19' }, format: 'ndjson', agent: 'powersync-swift/1.14.4 iOS/19' },
  { ...core, client: '.NET', headers: { 'x-user-agent': 'powersync-dotnet/0.1' }, format: 'ndjson', agent: 'powersync-dotnet/0.1' },
  { ...core, client: 'Rust 0.0.5', headers: { accept: BOTH, 'user-agent': '' }, format: 'bson', agent: undefined },
]; // prettier-ignore

const backend = new ScriptedBackend();
let server: HttpServer;
const logged: Record<string, unknown>[] = [];
const note = (event: string, facts?: object): void => void logged.push({ event, ...facts });

beforeAll(async () => {
  server = await listenScripted({
    limits: {
      maxConcurrentConnections: 10,
      maxBytesInFlight: 1 << 28,
      slowClientTimeoutMs: 60_000,
    },
    backend,
    logger: { debug: note, info: note, warn: note, error: note },
  });
});
beforeEach(() => {
  backend.opened = [];
  backend.writeCheckpointUsers = [];
  logged.length = 0;
});
afterAll(() => server.close(0));

const COMMON = { authorization: 'Token good', 'content-type': 'application/json' };

describe.each(GENERATIONS)('$client', ({ headers, body, format, user, agent, rawData }) => {
  it('gets its stream: status 200, the exact content type, the whole of it', async () => {
    const answer = await fetch(`${server.url}/sync/stream`, {
      method: 'POST',
      headers: { ...COMMON, ...headers },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(CONTENT_TYPES[format]);
    expect(answer.headers.get('x-accel-buffering')).toBe('no');
    expect(await answer.text()).toBe(LINES.join(''));
    expect(backend.opened).toHaveLength(1);
    expect(backend.opened[0]).toMatchObject({
      user,
      format,
      keepalive: true,
      request: { rawData, includeDefaults: true, subscriptions: [] },
    });
    const opened = logged.find(({ event }) => event === 'stream_opened');
    expect(opened).toMatchObject({ user, format });
    if (agent !== undefined) expect(opened).toMatchObject({ userAgent: agent });
  });

  it('gets its write checkpoint under the same user key', async () => {
    const query = 'client_id' in body ? '?client_id=c1' : '';
    const answer = await fetch(`${server.url}/write-checkpoint2.json${query}`, {
      headers: { ...COMMON, ...headers, accept: 'application/json' },
    });
    expect(await answer.json()).toEqual({ data: { write_checkpoint: '7' } });
    expect(backend.writeCheckpointUsers).toEqual([user]);
  });
});

// spec/protocol.md 2.1, 10: at most 20 keys of 100 characters each
it('logs the metadata of an app, but only so much of it', async () => {
  const metadata = Object.fromEntries(
    Array.from({ length: 30 }, (_, at) => [`${at}${'k'.repeat(200)}`, 'v'.repeat(200)]),
  );
  const answer = await fetch(`${server.url}/sync/stream`, {
    method: 'POST',
    headers: { ...COMMON, 'accept-encoding': 'gzip', 'user-agent': 'a'.repeat(500) },
    body: JSON.stringify({ app_metadata: metadata }),
  });
  await answer.text();
  const facts = logged.find(({ event }) => event === 'stream_opened');
  const entries = Object.entries(facts?.['appMetadata'] as Record<string, string>);
  expect(entries).toHaveLength(20);
  for (const [key, value] of entries) expect([key.length, value.length]).toEqual([100, 100]);
  expect(facts?.['userAgent']).toHaveLength(100);
});
