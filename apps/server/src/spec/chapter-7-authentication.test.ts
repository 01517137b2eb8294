import { describe, expect, it } from 'vitest';
import { subjectOf, type ScriptedStream } from '@sluice/testing';
import { openStream, TRANSPORTS, type WireTransport } from '../testing/wire-stream.ts';
import {
  EXPIRES,
  GENERATION,
  ISSUED,
  SPEC_TOKEN,
  startWireService,
  tokenWith,
} from '../testing/wire-service.ts';

/** spec/protocol.md 7.1 as clients see it; packages/auth/src/verify-token.test.ts has every case. */

const STREAMS: readonly ScriptedStream[] = [
  { name: 'mine', buckets: (request) => [`mine["${subjectOf(request)}"]`] },
];

const DAY = 86_400;
const REFUSED: readonly (readonly [string, () => Promise<string> | string, string])[] = [
  ['no token', () => '', 'PSYNC_S2106'],
  ['no JWT', () => 'abc', 'PSYNC_S2101'],
  [
    'a changed payload',
    () => SPEC_TOKEN.replace('.eyJzdWIiOiJ1MSIs', '.eyJzdWIiOiJ1MiIs'),
    'PSYNC_S2101',
  ],
  ['a key that is not there', () => tokenWith({}, { kid: 'k2' }), 'PSYNC_S2101'],
  ['another algorithm than the key', () => tokenWith({}, { alg: 'HS512' }), 'PSYNC_S2101'],
  ['no sub', () => tokenWith({ sub: undefined }), 'PSYNC_S2101'],
  ['no exp', () => tokenWith({ exp: undefined }), 'PSYNC_S2101'],
  ['parameters that are no object', () => tokenWith({ parameters: 'x' }), 'PSYNC_S2101'],
  ['an expired token', () => tokenWith({ iat: ISSUED - 100, exp: ISSUED - 60 }), 'PSYNC_S2103'],
  ['more than a day', () => tokenWith({ exp: ISSUED + DAY + 1 }), 'PSYNC_S2104'],
  ['no audience', () => tokenWith({ aud: undefined }), 'PSYNC_S2105'],
  ['another audience', () => tokenWith({ aud: ['a', 'b'] }), 'PSYNC_S2105'],
];

describe.each(REFUSED)('7.1: %s', (_what, token, code) => {
  it.each(TRANSPORTS)(`is ${code} over %s`, async (transport) => {
    const { url, storage } = await startWireService({ streams: STREAMS });
    storage.commit(GENERATION, {});
    const end = await (await openStream(url, transport, { token: await token() })).end();
    const isHttp = transport.startsWith('HTTP');
    // A header ends with what is in it, so without a token there is only the scheme.
    const expected = isHttp && code === 'PSYNC_S2106' ? 'PSYNC_S2101' : code;
    expect(end).toMatchObject({
      kind: 'refused',
      text: expect.stringContaining(expected) as unknown,
      ...(isHttp ? { status: 401 } : {}),
    });
  });
});

describe('7.1.7, 5.2: the user', () => {
  it.each<[unknown, string]>([
    ['u1', 'u1'],
    [42, '42'],
    [true, '1'],
    [null, 'null'],
    [{ a: 1 }, '{"a":1}'],
  ])(
    'sub %j has the write checkpoints of %s, on each route and stream alike',
    async (sub, user) => {
      const token = await tokenWith({ sub });
      for (const [query, body, key] of [
        ['', {}, user],
        ['?client_id=c', { client_id: 'c' }, `${user}/c`],
      ] as const) {
        const { url, storage, backend } = await startWireService();
        storage.commit(GENERATION, { position: 'h1' });
        backend.head = 'h1';
        const headers = { authorization: `Token ${token}` };
        await fetch(`${url}/write-checkpoint2.json${query}`, { headers });
        const stream = await openStream(url, 'HTTP NDJSON', { token, body });
        await stream.untilLines(1);
        expect(stream.lines()[0]).toMatchObject({ checkpoint: { write_checkpoint: '1' } });
        expect(backend.opened).toMatchObject([{ user: key }]);
      }
    },
  );
});

describe('7.1.9: the token is checked once', () => {
  const isServed = async (transport: WireTransport): Promise<void> => {
    const { url, storage, clock, backend } = await startWireService({ streams: STREAMS });
    storage.commit(GENERATION, {});
    const stream = await openStream(url, transport);
    await stream.untilLines(2);
    backend.verifyUser = () => Promise.reject(new Error('nobody is asked again'));
    await clock.advance((EXPIRES - ISSUED - 60) * 1000);
    const seen = stream.lines().length;
    storage.commit(GENERATION, {
      rows: [{ bucket: '7#mine["u1"]', objectId: '1', checksum: 1, data: '{"id":"1"}' }],
    });
    await stream.untilLines(seen + 3);
    await clock.advance(60_000);
    expect(await stream.end()).toEqual({ kind: 'ended' });
    expect(stream.lines().at(-1)).toEqual({ token_expires_in: 0 });
  };
  it.each(TRANSPORTS)('and the stream lives until exp, over %s', (transport) =>
    isServed(transport),
  );
});

describe('7.3: API tokens', () => {
  it('match exactly; without any none does; what is wrong is not told', async () => {
    const ask = async (url: string, authorization: string) => {
      const headers = { authorization };
      const answer = await fetch(`${url}/api/admin/v1/schema`, { method: 'POST', headers });
      return { status: answer.status, text: await answer.text() };
    };
    const { url } = await startWireService({ http: { apiTokens: ['first', 'second'] } });
    for (const token of ['first', 'second'])
      expect((await ask(url, `Token ${token}`)).status).toBe(200);
    const answers = await Promise.all(
      ['Token firs', 'Token first2', 'Token FIRST', 'Token other'].map((header) =>
        ask(url, header),
      ),
    );
    const none = await startWireService({ http: { apiTokens: [] } });
    answers.push(await ask(none.url, 'Token first'));
    for (const { status } of answers) expect(status).toBe(401);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.text).toContain('PSYNC_S2101');
  });
});
