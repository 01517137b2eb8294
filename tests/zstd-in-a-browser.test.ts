import { until } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listenScripted } from '../apps/server/src/testing/listen-scripted.ts';
import type { HttpServer } from '../apps/server/src/http/http-server.ts';
import { runtimeZstd } from '../apps/server/src/http/runtime-zstd.ts';
import { ScriptedBackend } from '../apps/server/src/testing/scripted-backend.ts';
import { storingZstd } from '../apps/server/src/testing/zstd-frames.ts';
import { findChromium } from '../tools/test/find-chromium.mjs';
import { findFirefox } from '../tools/test/find-firefox.mjs';
import { launchChromium } from './support/browser/chromium.ts';
import { Firefox } from './support/browser/firefox.ts';

const backend = new ScriptedBackend();
let server: HttpServer;

beforeAll(async () => {
  server = await listenScripted({
    probes: true,
    backend,
    zstd: runtimeZstd() ?? storingZstd,
  });
});

afterAll(() => server.close(0));

interface Tab extends AsyncDisposable {
  evaluate<T>(body: () => T): Promise<Awaited<T>>;
}

async function inChromium(url: string): Promise<Tab> {
  const browser = await launchChromium();
  const page = await browser.newPage();
  await page.goto(url);
  return {
    evaluate: (body) => page.evaluate(body) as Promise<never>,
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

async function inFirefox(url: string): Promise<Tab> {
  const firefox = await Firefox.launch();
  const tab = await firefox.tab(url);
  return {
    evaluate: (body) => tab.evaluate(body),
    [Symbol.asyncDispose]: () => firefox[Symbol.asyncDispose](),
  };
}

interface Reading {
  readonly lines: string[];
  encoding?: string | null;
  isDone?: boolean;
  error?: string;
}
declare const reading: Reading;

/** In the page: begins to read, and notes what comes. */
function startReading(): void {
  const noted: Reading = { lines: [] };
  Object.assign(globalThis, { reading: noted });
  const read = async (): Promise<void> => {
    const headers = { authorization: 'Token good' };
    const answer = await fetch('/sync/stream', { method: 'POST', headers });
    noted.encoding = answer.headers.get('content-encoding');
    let pending = '';
    const decoder = new TextDecoder();
    const reader = answer.body?.getReader();
    for (;;) {
      const chunk = await reader?.read();
      if (chunk === undefined || chunk.done) break;
      pending += decoder.decode(chunk.value, { stream: true });
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      noted.lines.push(...lines);
    }
    noted.isDone = true;
  };
  read().catch((error: unknown) => (noted.error = String(error)));
}

/** In the page. */
function hasEnded(): boolean {
  return reading.isDone === true || reading.error !== undefined;
}

const LARGE = 'x'.repeat(300_000);
const LINES = ['first', LARGE, 'after a large one', 'é 🙂', LARGE, 'last'];

const BROWSERS = [
  { name: 'Chromium', open: inChromium, isMissing: findChromium() === undefined },
  { name: 'Firefox', open: inFirefox, isMissing: findFirefox() === undefined },
];

describe.each(BROWSERS)('the fetch of $name', ({ open, isMissing }) => {
  test.skipIf(isMissing)(
    'asks for zstd and reads a stream of frames line for line: nothing waits for what comes after it',
    async () => {
      await using tab = await open(`${server.url}/probes/startup`);
      // A line is sent only when the page has the one before.
      backend.stream = async function* () {
        for (const [index, line] of LINES.entries()) {
          yield [Buffer.from(`${line}\n`)];
          await until('the page has the line', async () => (await arrived()) > index);
        }
      };
      const arrived = () => tab.evaluate(() => reading.lines.length);
      await tab.evaluate(startReading);
      await until('the end', () => tab.evaluate(hasEnded));
      const { encoding, lines, error } = await tab.evaluate(() => reading);
      expect({ encoding, error }).toEqual({ encoding: 'zstd' });
      expect(lines).toEqual(LINES);
    },
  );

  test.skipIf(isMissing)('reads all of many frames that arrive together', async () => {
    await using tab = await open(`${server.url}/probes/startup`);
    backend.stream = async function* () {
      yield Array.from({ length: 3 }, () => LINES.map((line) => Buffer.from(`${line}\n`))).flat();
    };
    await tab.evaluate(startReading);
    await until('the end', () => tab.evaluate(hasEnded));
    const { encoding, lines, error } = await tab.evaluate(() => reading);
    expect({ encoding, error }).toEqual({ encoding: 'zstd' });
    expect(lines).toEqual([...LINES, ...LINES, ...LINES]);
  });
});
