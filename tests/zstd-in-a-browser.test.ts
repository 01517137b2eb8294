import type { Browser } from 'playwright-core';
import { silentLogger } from '@sluice/base';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HttpServer } from '../apps/server/src/http/http-server.ts';
import { runtimeZstd } from '../apps/server/src/http/runtime-zstd.ts';
import { ScriptedBackend } from '../apps/server/src/testing/scripted-backend.ts';
import { storingZstd } from '../apps/server/src/testing/zstd-frames.ts';
import { findChromium } from '../tools/test/find-chromium.mjs';
import { launchChromium } from './support/browser/chromium.ts';

const backend = new ScriptedBackend();
let server: HttpServer;
let browser: Browser;

const isMissing = findChromium() === undefined && process.env['CI'] === undefined;

beforeAll(async () => {
  if (isMissing) return;
  server = await HttpServer.listen({
    host: '127.0.0.1',
    port: 0,
    limits: { maxConcurrentConnections: 2, maxBytesInFlight: 1 << 28, slowClientTimeoutMs: 60_000 },
    apiTokens: [],
    probes: true,
    production: true,
    backend,
    zstd: runtimeZstd() ?? storingZstd,
    logger: silentLogger,
  });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await server?.close(0);
});

test.skipIf(isMissing)(
  'fetch asks for zstd and reads a stream of frames line for line: nothing waits for what comes after it',
  async () => {
    const large = 'x'.repeat(300_000);
    const lines = ['first', large, 'after a large one', 'é 🙂', large, 'last'];
    // A line is sent only when the page has the one before.
    const page = await browser.newPage();
    const arrived: string[] = [];
    let next = (): void => {};
    await page.exposeFunction('lineArrived', (line: string) => {
      arrived.push(line);
      next();
    });
    backend.stream = async function* () {
      for (const line of lines) {
        const hasArrived = new Promise<void>((resolve) => (next = resolve));
        yield [Buffer.from(`${line}\n`)];
        await hasArrived;
      }
    };
    await page.goto(`${server.url}/probes/startup`);
    const encoding = await page.evaluate(readLines);
    expect(encoding).toBe('zstd');
    expect(arrived).toEqual(lines);
  },
);

/** In the page. Gives the compression that was chosen. */
async function readLines(): Promise<string | null> {
  const { lineArrived } = globalThis as unknown as {
    readonly lineArrived: (line: string) => Promise<void>;
  };
  const answer = await fetch('/sync/stream', {
    method: 'POST',
    headers: { authorization: 'Token good' },
  });
  let pending = '';
  const decoder = new TextDecoder();
  const reader = answer.body?.getReader();
  for (;;) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) break;
    pending += decoder.decode(chunk.value, { stream: true });
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) await lineArrived(line);
  }
  return answer.headers.get('content-encoding');
}
