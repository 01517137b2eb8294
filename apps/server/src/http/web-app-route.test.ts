import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenScripted } from '../testing/listen-scripted.ts';
import { ScriptedBackend } from '../testing/scripted-backend.ts';
import type { HttpServer } from './http-server.ts';

let parent: string;
let server: HttpServer;

beforeAll(async () => {
  parent = mkdtempSync(path.join(tmpdir(), 'sluice-web-app-'));
  const webApp = path.join(parent, 'app');
  mkdirSync(path.join(webApp, 'assets'), { recursive: true });
  writeFileSync(path.join(parent, 'secret.txt'), 'secret');
  writeFileSync(path.join(webApp, 'index.html'), '<p>app</p>');
  writeFileSync(path.join(webApp, 'assets', 'sqlite.wasm'), 'wasm');
  server = await listenScripted({
    probes: true,
    webApp,
    backend: new ScriptedBackend(),
  });
});
afterAll(async () => {
  await server.close(0);
  rmSync(parent, { recursive: true });
});

/** As it is, where `fetch` would tidy the path up. */
function get(target: string) {
  return new Promise<{ status: number; type: string | undefined; body: string }>(
    (resolve, reject) => {
      const { port } = new URL(server.url);
      request({ host: '127.0.0.1', port, path: target }, async (response) => {
        const type = response.headers['content-type'];
        resolve({ status: response.statusCode ?? 0, type, body: await text(response) });
      })
        .on('error', reject)
        .end();
    },
  );
}

test.each([
  ['/', 'text/html;charset=utf-8', '<p>app</p>'],
  ['/index.html?user=ann', 'text/html;charset=utf-8', '<p>app</p>'],
  ['/assets/sqlite.wasm', 'application/wasm', 'wasm'],
])('GET %s is the file, with its type', async (target, type, body) => {
  expect(await get(target)).toEqual({ status: 200, type, body });
});

test('routes of the service come first', async () => {
  expect(await get('/probes/startup')).toMatchObject({ type: 'application/json' });
});

test.each([
  '/missing.js',
  '/../secret.txt',
  '/..%2fsecret.txt',
  '/assets/..%2f..%2fsecret.txt',
  '/%00',
])('GET %s is 404, as JSON', async (target) => {
  const answer = await get(target);
  expect(answer).toMatchObject({ status: 404, type: 'application/json' });
  expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'PSYNC_S2002' } });
});
