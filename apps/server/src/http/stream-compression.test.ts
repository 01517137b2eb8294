import { request as httpRequest, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { constants, gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '@sluice/testing';
import { listenScripted } from '../testing/listen-scripted.ts';
import { LINES, ScriptedBackend } from '../testing/scripted-backend.ts';
import { storingZstd, unpackFrames } from '../testing/zstd-frames.ts';
import { runtimeZstd } from './runtime-zstd.ts';
import type { RunCompressor } from './shared-runs.ts';

async function listen(backend: ScriptedBackend, zstd: RunCompressor | undefined): Promise<string> {
  const server = await listenScripted({
    backend,
    zstd,
  });
  onTestFinished(() => server.close(0));
  return server.url;
}

/** Without the conveniences of fetch: nothing is decompressed, no header is added. */
function open(url: string, acceptEncoding?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: 'Token good',
      ...(acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding }),
    };
    const options = { method: 'POST', headers, agent: false };
    httpRequest(`${url}/sync/stream`, options, resolve).once('error', reject).end();
  });
}

const CHROMIUM = 'gzip, deflate, br, zstd';

// spec/protocol.md 11.9
test.each([
  { asked: undefined, zstd: storingZstd, given: undefined },
  { asked: 'identity', zstd: storingZstd, given: undefined },
  { asked: 'gzip, deflate', zstd: storingZstd, given: 'gzip' },
  { asked: CHROMIUM, zstd: storingZstd, given: 'zstd' },
  { asked: CHROMIUM, zstd: undefined, given: 'gzip' },
  { asked: 'zstd', zstd: undefined, given: undefined },
])('$asked gives $given', async ({ asked, zstd, given }) => {
  const url = await listen(new ScriptedBackend(), zstd);
  const response = await open(url, asked);
  expect(response.headers['content-encoding']).toBe(given);
  const body = await buffer(response);
  const plain = given === 'gzip' ? gunzipSync(body) : given ? unpackFrames(body) : body;
  expect(plain.toString()).toBe(LINES.join(''));
});

/** A compressed stream may end anywhere while it is read. */
const gunzipSoFar = (bytes: Buffer): Buffer =>
  gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });

const asIs = (bytes: Buffer): Buffer => bytes;

describe.each([
  { name: 'no compression', encoding: undefined, zstd: undefined, unpack: asIs, isMissing: false },
  { name: 'gzip', encoding: 'gzip', zstd: undefined, unpack: gunzipSoFar, isMissing: false },
  { name: 'zstd', encoding: 'zstd', zstd: storingZstd, unpack: unpackFrames, isMissing: false },
  {
    name: 'zstd of this runtime',
    encoding: 'zstd',
    zstd: runtimeZstd(),
    unpack: unpackFrames,
    isMissing: runtimeZstd() === undefined,
  },
])('a stream in $name', ({ encoding, zstd, unpack, isMissing }) => {
  test.skipIf(isMissing)('holds nothing back', async () => {
    const backend = new ScriptedBackend();
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => (finish = resolve));
    backend.stream = async function* () {
      yield [Buffer.from('first\n')];
      await finished;
      yield [Buffer.from('last\n')];
    };
    const response = await open(await listen(backend, zstd), encoding);
    expect(response.headers['content-encoding']).toBe(encoding);
    const received: Buffer[] = [];
    response.on('data', (bytes: Buffer) => received.push(bytes));
    const textSoFar = () =>
      received.length === 0 ? '' : unpack(Buffer.concat(received)).toString();
    await until('the first line is there', () => textSoFar() === 'first\n');
    finish();
    await until('the last line is there', () => textSoFar() === 'first\nlast\n');
    await until('the stream has ended', () => response.complete);
  });

  test.skipIf(isMissing)('keeps shared and large parts whole', async () => {
    const large = Buffer.alloc(300_000, 'abcdefgh');
    const backend = new ScriptedBackend();
    backend.stream = async function* () {
      yield [Buffer.from('a'), large, Buffer.from('b'), Buffer.from('c')];
      yield [large];
    };
    const response = await open(await listen(backend, zstd), encoding);
    const expected = Buffer.concat([Buffer.from('a'), large, Buffer.from('bc'), large]);
    expect(unpack(await buffer(response)).equals(expected)).toBe(true);
  });
});
