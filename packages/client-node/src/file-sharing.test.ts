import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '@sluice/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileSharing } from './file-sharing.ts';

let file: string;
let problems: unknown[];

beforeEach(() => {
  file = path.join(mkdtempSync(path.join(tmpdir(), 'sluice-lead-')), 'app.sqlite');
  problems = [];
});

afterEach(() => rmSync(path.dirname(file), { recursive: true }));

const sharing = () => fileSharing(file, (problem) => problems.push(problem));

test('one at a time leads, until it gives that back', () => {
  const giveBack = sharing().tryLead();
  expect(giveBack).toBeDefined();
  expect(sharing().tryLead()).toBeUndefined();
  giveBack?.();
  const again = sharing().tryLead();
  expect(again).toBeDefined();
  again?.();
});

test('a process that is killed leads no more', async () => {
  const library = JSON.stringify(createRequire(import.meta.url).resolve('better-sqlite3'));
  const code = `
    const db = new (require(${library}))(${JSON.stringify(`${file}-lead`)});
    db.exec('BEGIN EXCLUSIVE');
    console.log('leads');
    setInterval(() => db, 1000);`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  expect(sharing().tryLead()).toBeUndefined();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const giveBack = sharing().tryLead();
  expect(giveBack).toBeDefined();
  giveBack?.();
});

test('what is repeated and fails is reported, and repeated', async () => {
  const stop = sharing().repeat(() => {
    throw new Error('again');
  });
  await until('it failed twice', () => problems.length >= 2, 5_000);
  stop();
});
