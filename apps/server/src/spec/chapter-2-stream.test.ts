import { describe, expect, it } from 'vitest';
import { AppError, SyncError } from '@sluice/base';
import { until, type ScriptedRow, type ScriptedStream } from '@sluice/testing';
import {
  openStream,
  TRANSPORTS,
  type WireStream,
  type WireTransport,
} from '../testing/wire-stream.ts';
import {
  EXPIRES,
  GENERATION,
  ISSUED,
  startWireService,
  tokenWith,
  type WireService,
  type WireServiceOptions,
} from '../testing/wire-service.ts';

/** spec/protocol.md 2.7 to 2.10 as clients see it, over every transport. */

const A: ScriptedStream = { name: 'a', priority: 1, buckets: () => ['a'] };
const B: ScriptedStream = { name: 'b', buckets: () => ['b'] };

const row = (bucket: string, objectId: string, checksum = 1): ScriptedRow => ({
  bucket: `7#${bucket}`,
  objectId,
  checksum,
  data: `{"id":"${objectId}"}`,
});

const kinds = (stream: WireStream): string[] =>
  stream.lines().map((line) => Object.keys(line as object).join());

const isHttp = (transport: WireTransport): boolean => transport.startsWith('HTTP');

async function opened(transport: WireTransport, options: WireServiceOptions = {}) {
  const service = await startWireService({ streams: [A, B], ...options });
  service.storage.commit(GENERATION, { rows: [row('a', '1'), row('b', '1')], position: 'h0' });
  const stream = await openStream(service.url, transport);
  await stream.untilLines(5);
  return { ...service, stream };
}

describe.each(TRANSPORTS)('2.7: new checkpoints, over %s', (transport) => {
  it('give no line unless they concern the client, and repeat the write checkpoint in every diff', async () => {
    const { stream, storage } = await opened(transport);
    storage.commit(GENERATION, { rows: [row('other', '1')], position: 'h1' });
    await storage.writeCheckpoints.create('u1', 'h2');
    storage.commit(GENERATION, { rows: [row('other', '2')], position: 'h2' });
    await stream.untilLines(7);
    storage.commit(GENERATION, { rows: [row('a', '2')], position: 'h3' });
    await stream.untilLines(10);
    expect(stream.lines().slice(5)).toEqual([
      // Both lists are empty: it is about the write checkpoint alone.
      {
        checkpoint_diff: {
          last_op_id: '4',
          write_checkpoint: '1',
          updated_buckets: [],
          removed_buckets: [],
        },
      },
      { checkpoint_complete: { last_op_id: '4' } },
      {
        checkpoint_diff: {
          last_op_id: '5',
          write_checkpoint: '1',
          updated_buckets: [
            { bucket: '7#a', checksum: 2, count: 2, priority: 1, subscriptions: [{ default: 0 }] },
          ],
          removed_buckets: [],
        },
      },
      expect.objectContaining({
        data: expect.objectContaining({ after: '1', next_after: '5' }) as unknown,
      }),
      { checkpoint_complete: { last_op_id: '5' } },
    ]);
  });

  it('first line is a checkpoint, also without buckets: an empty list, and its completion', async () => {
    const { url, storage } = await startWireService();
    storage.commit(GENERATION, { rows: [row('a', '1')] });
    const stream = await openStream(url, transport);
    await stream.untilLines(2);
    expect(stream.lines()).toEqual([
      { checkpoint: { last_op_id: '1', buckets: [], streams: [] } },
      { checkpoint_complete: { last_op_id: '1' } },
    ]);
  });
});

describe.each(TRANSPORTS)(
  '2.8: a checkpoint that compaction has gone beyond, over %s',
  (transport) => {
    it('is sent without any completion, and what follows completes it', async () => {
      const { url, storage } = await startWireService({
        streams: [A, B],
        limits: { chunkBytes: 1 },
      });
      storage.commit(GENERATION, { rows: [row('a', '1'), row('a', '2'), row('b', '1')] });
      let goOn = (): void => {};
      const held = new Promise<void>((resolve) => (goOn = resolve));
      storage.beforeRead = () => held;
      const opening = openStream(url, transport);
      await until('data is read', () => storage.calls.readOps > 0);
      storage.commit(GENERATION, { rows: [row('a', '1', 5)] });
      storage.compact(GENERATION, '7#a');
      goOn();
      const stream = await opening;
      await stream.untilLines(8);
      const seen = kinds(stream);
      const diffAt = seen.indexOf('checkpoint_diff');
      expect(seen.slice(0, diffAt).filter((kind) => kind !== 'data')).toEqual(['checkpoint']);
      expect(seen.slice(diffAt).filter((kind) => kind !== 'data')).toEqual([
        'checkpoint_diff',
        'partial_checkpoint_complete',
        'checkpoint_complete',
      ]);
      expect(stream.lines()[1]).toMatchObject({ data: { data: [{ op_id: '1', op: 'MOVE' }] } });
    });
  },
);

describe('2.9: keepalive and expiry', () => {
  // random is 0.5 here, so 20 s exactly; packages/sync/src/token-wheel.test.ts has the spread.
  const EXPECTED = {
    http: [45, 25, 20, 0],
    rsocket: [20, 0],
  };
  it.each(TRANSPORTS)('over %s', async (transport) => {
    const token = await tokenWith({ exp: ISSUED + 65 });
    const { clock, storage, url } = await startWireService();
    storage.commit(GENERATION, {});
    const stream = await openStream(url, transport, { token });
    await stream.untilLines(2);
    expect(kinds(stream), 'nothing at t = 0').toEqual(['checkpoint', 'checkpoint_complete']);
    const expected = isHttp(transport) ? EXPECTED.http : EXPECTED.rsocket;
    const at = [20, 40, 45, 65].filter((second) => expected.includes(65 - second));
    let now = 0;
    for (const [index, second] of at.entries()) {
      await clock.advance((second - now) * 1000);
      now = second;
      await stream.untilLines(3 + index);
    }
    expect(await stream.end(), 'a proper end').toEqual({ kind: 'ended' });
    expect(stream.lines().slice(2)).toEqual(
      expected.map((seconds) => ({ token_expires_in: seconds })),
    );
  });
});

interface Limit {
  readonly what: string;
  readonly options?: WireServiceOptions;
  /** Before a client comes. */
  readonly prepare?: (service: WireService) => void | Promise<void>;
  readonly status: number;
  readonly text: RegExp;
  /** Where RSocket says something else. */
  readonly rsocketText?: RegExp;
  /** What the body says over HTTP, where it is not what RSocket says. */
  readonly isEmptyOverHttp?: boolean;
}

const many = (count: number): ScriptedStream => ({
  name: 'many',
  buckets: () => Array.from({ length: count }, (_, i) => `many[${i}]`),
});

const LIMITS: readonly Limit[] = [
  {
    what: 'no active sync config',
    options: { isDeployed: false },
    status: 500,
    text: /PSYNC_S2302/,
  },
  {
    what: 'the process is stopping',
    prepare: ({ hub }) => hub.drain(),
    status: 503,
    text: /PSYNC_S2003/,
  },
  {
    what: 'more streams than max_concurrent_connections',
    options: {
      http: {
        limits: {
          maxConcurrentConnections: 0,
          maxBytesInFlight: 1 << 28,
          slowClientTimeoutMs: 1e5,
        },
      },
    },
    status: 429,
    text: /PSYNC_S2304/,
    isEmptyOverHttp: true,
  },
  {
    what: 'more buckets than max_buckets_per_connection, with counts for each definition',
    options: { streams: [A, many(1001)] },
    status: 500,
    text: /PSYNC_S2305[^]*1002[^]*1000[^]*many[^]*1001/,
    rsocketText: /^\[PSYNC_S2001\] .*\n {2}\[PSYNC_S2305\] .*1002[^]*1000[^]*many[^]*1001/,
  },
  {
    what: 'more parameter results than max_parameter_query_results',
    options: { streams: [{ name: 'found', lookupKey: () => 'key' }] },
    prepare: ({ storage }) => {
      const values = Array.from({ length: 1001 }, (_, i) => `found[${i}]`);
      storage.commit(GENERATION, { lookups: { '7#key': values } });
    },
    status: 500,
    text: /PSYNC_S2305/,
    rsocketText: /^\[PSYNC_S2001\] .*\n {2}\[PSYNC_S2305\] /,
  },
  {
    what: 'an internal error, which production hides',
    prepare: ({ storage }) => {
      storage.beforeStates = () => {
        throw new AppError('INTERNAL_BUG', 'secret inside');
      };
    },
    status: 500,
    text: /PSYNC_S0001(?![^]*secret)/,
  },
  {
    what: 'an exception that nobody expected, which production hides',
    prepare: ({ storage }) => {
      storage.beforeStates = () => {
        throw new TypeError('secret inside');
      };
    },
    status: 500,
    text: /PSYNC_S0001(?![^]*secret)/,
    // 3.8
    rsocketText: /^\[PSYNC_S2001\] Internal server error$/,
  },
  {
    what: 'a token that no key verifies',
    prepare: ({ backend }) => {
      backend.verifyUser = () =>
        Promise.reject(new SyncError('SYNC_TOKEN_INVALID', 'No key verifies the token'));
    },
    status: 401,
    text: /PSYNC_S2101/,
  },
];

describe.each(LIMITS)('2.10: $what', (row) => {
  const { options, prepare, status, text, rsocketText = text, isEmptyOverHttp } = row;
  it.each(TRANSPORTS)('over %s', async (transport) => {
    const service = await startWireService({ streams: [A], ...options });
    if (options?.isDeployed !== false) service.storage.commit(GENERATION, {});
    await prepare?.(service);
    const end = await (await openStream(service.url, transport)).end();
    if (!isHttp(transport)) {
      const told = expect.stringMatching(rsocketText) as unknown;
      expect(end).toMatchObject({ kind: 'refused', text: told });
      return;
    }
    const body = isEmptyOverHttp === true ? '' : (expect.stringMatching(text) as unknown);
    expect(end).toMatchObject({ kind: 'refused', status, text: body });
  });
});

describe('2.10: while a stream runs', () => {
  it.each(TRANSPORTS)('another config ends it normally, over %s', async (transport) => {
    const { stream, deploy } = await opened(transport);
    deploy([A, { name: 'c', buckets: () => ['c'] }]);
    expect(await stream.end()).toEqual({ kind: 'ended' });
    expect(kinds(stream).at(-1)).toBe('checkpoint_complete');
  });

  it.each(TRANSPORTS)('a stop of the process ends it normally, over %s', async (transport) => {
    const { stream, hub } = await opened(transport);
    hub.drain();
    expect(await stream.end()).toEqual({ kind: 'ended' });
  });

  it.each(TRANSPORTS)(
    'a failure cuts it: no end of the body, or an ERROR, over %s',
    async (transport) => {
      const { stream, storage } = await opened(transport);
      storage.beforeRead = () => {
        throw new AppError('INTERNAL_BUG', 'later');
      };
      storage.commit(GENERATION, { rows: [row('a', '2')] });
      expect(await stream.end()).toMatchObject(
        isHttp(transport)
          ? { kind: 'cut' }
          : { kind: 'refused', text: expect.stringContaining('PSYNC_S0001') as unknown },
      );
    },
  );

  it.each(TRANSPORTS)('more buckets than allowed cut it, over %s', async (transport) => {
    const found: ScriptedStream = { name: 'found', lookupKey: () => 'key' };
    const limits = { maxBucketsPerConnection: 2 };
    const { storage, url } = await startWireService({ streams: [found], limits });
    storage.commit(GENERATION, { lookups: { '7#key': ['x', 'y'] } });
    const stream = await openStream(url, transport);
    await stream.untilLines(2);
    storage.commit(GENERATION, { lookups: { '7#key': ['x', 'y', 'z'] } });
    expect(await stream.end()).toMatchObject(
      isHttp(transport)
        ? { kind: 'cut' }
        : { kind: 'refused', text: expect.stringContaining('PSYNC_S2305') as unknown },
    );
  });
});

describe('2.9: token_expires_in', () => {
  it('seconds are rounded up', async () => {
    const { clock, url, storage } = await startWireService({ nowSeconds: EXPIRES - 100 });
    storage.commit(GENERATION, {});
    await clock.advance(500);
    const stream = await openStream(url, 'HTTP NDJSON');
    await stream.untilLines(2);
    await clock.advance(20_500);
    await stream.untilLines(3);
    expect(stream.lines()[2]).toEqual({ token_expires_in: 79 });
  });
});
