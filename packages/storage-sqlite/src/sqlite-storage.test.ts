import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { must } from '@sluice/base';
import type { BucketStorage } from '@sluice/storage';
import { registerStorageConformance } from '@sluice/storage/conformance';
import { afterAll } from 'vitest';
import { openSqliteStorage } from './sqlite-storage.ts';

const root = mkdtempSync(path.join(tmpdir(), 'sluice-sqlite-'));
const paths = new WeakMap<BucketStorage, string>();

afterAll(() => rmSync(root, { recursive: true }));

async function openAt(folder: string): Promise<BucketStorage> {
  const storage = await openSqliteStorage({
    path: path.join(folder, 'buckets.db'),
    pollMs: 20,
    // So few that they are moved to their table again and again.
    rowStateLog: { maxRows: 20, maxBytes: 1 << 20, mergeRows: 5 },
  });
  paths.set(storage, folder);
  return storage;
}

function folderOf(former: BucketStorage): string {
  return must(paths.get(former), 'the folder of a storage');
}

/** The files as they lie on the disk while the former still has them open: a process that died. */
async function openCopy(former: BucketStorage): Promise<BucketStorage> {
  const folder = mkdtempSync(path.join(root, 'crash-'));
  for (const name of ['', '-wal', '-write-checkpoints', '-write-checkpoints-wal']) {
    const file = `buckets.db${name}`;
    const from = path.join(folderOf(former), file);
    if (existsSync(from)) cpSync(from, path.join(folder, file));
  }
  const copy = await openAt(folder);
  await former[Symbol.asyncDispose]();
  return copy;
}

registerStorageConformance({
  name: 'sqlite',
  open: () => openAt(mkdtempSync(path.join(root, 'db-'))),
  reopen: (former) => openAt(folderOf(former)),
  crash: openCopy,
  second: (former) => openAt(folderOf(former)),
});
