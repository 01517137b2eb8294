import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import type { BucketStorage } from '@sluice/storage';
import { afterAll, describe, expect, it } from 'vitest';
import { openSqliteStorage } from './sqlite-storage.ts';
import { NEW_GENERATION } from './testing/new-generation.ts';

const root = mkdtempSync(path.join(tmpdir(), 'sluice-sqlite-watch-'));

afterAll(() => rmSync(root, { recursive: true }));

const newFile = () => path.join(mkdtempSync(path.join(root, 'db-')), 'buckets.db');

/** A program that writes one checkpoint, then says so, then waits with the writer open. */
const WRITE_ONE = `
  const { openSqliteStorage } = await import(${JSON.stringify(path.join(import.meta.dirname, 'index.ts'))});
  const storage = await openSqliteStorage({ path: FILE });
  const writer = await storage.openWriter(1);
  const outputs = [{ objectType: 't', objectId: '1', data: '{}', buckets: ['b[]'] }];
  const put = { kind: 'put', tableId: 1, key: '1', row: { outputs, lookups: [] } };
  await writer.write({ changes: [put], resume: 'r', checkpoint: 'P1' });
  await storage.writeCheckpoints.create('user', 'P1');
  console.log('written');
  setInterval(() => {}, 1000);
`;

function programFor(file: string): string {
  return WRITE_ONE.replace('FILE', JSON.stringify(file));
}

async function startProcess(file: string): Promise<ChildProcess> {
  const args = ['-C', '@sluice/source', '--import', 'tsx', '--input-type=module'];
  const child = spawn(process.execPath, [...args, '-e', programFor(file)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  await once(createInterface({ input: child.stdout }), 'line');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}

/** Watches everything, and gives what came first. */
function watchAll(storage: BucketStorage, signal: AbortSignal) {
  const users = firstOf(storage.writeCheckpoints.watch(signal));
  const delta = storage.openReader(1).then((reader) => firstOf(reader.watch(signal)));
  return Promise.all([delta, users]);
}

const EXPECTED = [
  {
    checkpoint: { opId: 1n, position: 'P1' },
    buckets: new Set(['b[]']),
    lookups: new Set(),
  },
  new Set(['user']),
];

describe('watching', () => {
  it('hears at once of what another thread of the process writes', async () => {
    const file = newFile();
    // Polling so rarely that only the message can have brought the news.
    await using storage = await openSqliteStorage({ path: file, pollMs: 3_600_000 });
    await storage.createGeneration(NEW_GENERATION);
    const news = watchAll(storage, AbortSignal.timeout(15_000));
    const execArgv = ['-C', '@sluice/source'];
    const program = `(async () => {
      (await import('tsx/esm/api')).register();
      ${programFor(file)}
    })()`;
    const worker = new Worker(program, { eval: true, execArgv, stdout: true });
    try {
      expect(await news).toEqual(EXPECTED);
    } finally {
      await worker.terminate();
    }
  });

  it('finds by polling what another process writes', async () => {
    const file = newFile();
    await using storage = await openSqliteStorage({ path: file, pollMs: 10, mode: 'reader' });
    await using creator = await openSqliteStorage({ path: file });
    await creator.createGeneration(NEW_GENERATION);
    const news = watchAll(storage, AbortSignal.timeout(15_000));
    const child = await startProcess(file);
    try {
      expect(await news).toEqual(EXPECTED);
    } finally {
      await kill(child);
    }
  });
});

describe('the lock of the writer', () => {
  it('keeps other processes out until its holder dies, however it dies', async () => {
    const file = newFile();
    await using storage = await openSqliteStorage({ path: file });
    await storage.createGeneration(NEW_GENERATION);
    const child = await startProcess(file);
    try {
      await expect(storage.openWriter(1)).rejects.toMatchObject({
        code: 'STORAGE_LOCKED',
        retryable: true,
      });
    } finally {
      await kill(child);
    }
    await using writer = await storage.openWriter(1);
    expect(await writer.progress()).toMatchObject({ checkpoint: { opId: 1n, position: 'P1' } });
  });

  it('is free again after the last writer is closed', async () => {
    const file = newFile();
    await using first = await openSqliteStorage({ path: file });
    await using second = await openSqliteStorage({ path: file });
    const [a, b] = [
      await first.createGeneration(NEW_GENERATION),
      await first.createGeneration(NEW_GENERATION),
    ];
    const writers = [await first.openWriter(a.id), await first.openWriter(b.id)];
    await writers[0]?.[Symbol.asyncDispose]();
    await expect(second.openWriter(a.id)).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
    await writers[1]?.[Symbol.asyncDispose]();
    await using writer = await second.openWriter(a.id);
    expect(await writer.progress()).toMatchObject({ resume: undefined, checkpoint: undefined });
  });
});

describe('open storage', () => {
  it('does not keep a process alive, even while it is watched', async () => {
    const program = `
      const { openSqliteStorage } = await import(${JSON.stringify(path.join(import.meta.dirname, 'index.ts'))});
      const storage = await openSqliteStorage({ path: ${JSON.stringify(newFile())} });
      const watching = storage.watchGenerations(new AbortController().signal)[Symbol.asyncIterator]();
      await watching.next();
      void watching.next();
    `;
    const args = ['-C', '@sluice/source', '--import', 'tsx', '--input-type=module', '-e', program];
    const child = spawn(process.execPath, args, { stdio: 'inherit', cwd: import.meta.dirname });
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(0);
  });
});
