import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '@sluice/base';
import { watchFile } from './watch-file.ts';

let folder: string;
let file: string;
let stop: AbortController;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-watch-'));
  file = path.join(folder, 'sync-config.yaml');
  stop = new AbortController();
  await writeFile(file, 'first');
});
afterEach(async () => {
  stop.abort();
  await rm(folder, { recursive: true });
});

const watch = () => watchFile({ file, text: 'first', clock: systemClock, signal: stop.signal });

async function next(changes: AsyncGenerator<string | undefined>): Promise<unknown> {
  const { value, done } = await changes.next();
  return done ? 'ended' : value;
}

test('every change of the content is told, however the editor saves', async () => {
  const changes = watch();
  const seen = next(changes);
  await writeFile(file, 'second');
  expect(await seen).toBe('second');
  await writeFile(`${file}.new`, 'third');
  await rename(`${file}.new`, file);
  expect(await next(changes)).toBe('third');
});

test('a file that goes and comes back is told, and one that is saved unchanged is not', async () => {
  const changes = watch();
  const gone = next(changes);
  await rm(file);
  expect(await gone).toBeUndefined();
  await writeFile(file, 'first');
  expect(await next(changes)).toBe('first');
  await writeFile(file, 'first');
  await writeFile(file, 'other');
  expect(await next(changes)).toBe('other');
});

test('saves in quick succession are one change', async () => {
  const changes = watch();
  const first = next(changes);
  for (let i = 1; i <= 20; i++) await writeFile(file, `text ${i}`);
  expect(await first).toBe('text 20');
  await writeFile(file, 'a');
  await writeFile(file, 'b');
  expect(await next(changes)).toBe('b');
});

test('it ends with the signal', async () => {
  const ended = next(watch());
  stop.abort();
  expect(await ended).toBe('ended');
});
