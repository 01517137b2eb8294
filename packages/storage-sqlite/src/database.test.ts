import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, it } from 'vitest';

const root = mkdtempSync(path.join(tmpdir(), 'sluice-sqlite-open-'));

afterAll(() => rmSync(root, { recursive: true, maxRetries: 5 }));

const THREADS = 3;
const FILES = 40;

/** Opens one new file after the other, each at the same moment as the other threads. */
const PROGRAM = `(async () => {
  const { parentPort, workerData } = require('node:worker_threads');
  (await import('tsx/esm/api')).register();
  const { openSqliteStorage } = await import(workerData.module);
  const ready = new Int32Array(workerData.ready);
  for (let n = 0; n < ${FILES}; n++) {
    if (Atomics.add(ready, n, 1) === ${THREADS} - 1) Atomics.notify(ready, n);
    for (let seen; (seen = Atomics.load(ready, n)) < ${THREADS}; ) Atomics.wait(ready, n, seen);
    const storage = await openSqliteStorage({ path: workerData.root + '/' + n + '.db' });
    await storage.generations();
    await storage[Symbol.asyncDispose]();
  }
  parentPort.postMessage('done');
})()`;

it('can be opened for the first time by several threads at once', async () => {
  const workerData = {
    root,
    module: path.join(import.meta.dirname, 'sqlite-storage.ts'),
    ready: new SharedArrayBuffer(FILES * 4),
  };
  const options = { eval: true, execArgv: ['-C', '@sluice/source'], workerData };
  const workers = Array.from({ length: THREADS }, () => new Worker(PROGRAM, options));
  const done = workers.map(
    (worker) =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      }),
  );
  try {
    expect(await Promise.all(done)).toEqual(Array(THREADS).fill('done'));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
});
