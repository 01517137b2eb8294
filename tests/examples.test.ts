import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  buildCommand,
  runCommand,
  RunningCommand,
} from '../apps/cli/src/testing/running-command.ts';

const CLIENT = path.resolve('examples/node-client/client.js');

let dir: string;
beforeAll(async () => {
  buildCommand();
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-examples-'));
  await chmod(dir, 0o755); // as root, the database runs as another user and must get in
}, 180_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

test('the Node client of the examples uploads its to-do, and sees it ticked off in PostgreSQL', async () => {
  const home = path.join(dir, '.sluice');
  const ports = ['--port', '0'];
  await using dev = new RunningCommand(['dev', '--dir', home, ...ports]);
  await dev.waitFor(/Ctrl-C stops everything/, 60_000);
  const sluice = async (...args: string[]): Promise<string> =>
    (await runCommand([...args, '--dir', home])).output.trim();
  const state = JSON.parse(await readFile(path.join(home, 'dev.json'), 'utf8')) as {
    serviceUrl: string;
    uploadUrl: string;
  };

  const client = spawn(process.execPath, [CLIENT, 'Buy bread'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      TOKEN: await sluice('token', '--user', 'alice'),
      SLUICE_URL: state.serviceUrl,
      UPLOAD_URL: state.uploadUrl,
      DB_FILE: path.join(dir, 'client.sqlite'),
    },
  });
  let output = '';
  for (const stream of [client.stdout, client.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => (output += part));
  }
  const exited = new Promise<number | null>((resolve) => client.once('close', resolve));
  try {
    const printed = (pattern: RegExp) =>
      until(`the client prints ${pattern}`, async () => pattern.test(output), 30_000).catch(() =>
        expect(output).toMatch(pattern),
      );
    await printed(/Groceries: 10 of 31 done; 0 to upload\n/);
    const update = "UPDATE todos SET completed = true WHERE description = 'Buy bread'";
    expect(await sluice('sql', update)).toBe('UPDATE 1');
    await printed(/Groceries: 11 of 31 done; 0 to upload\n/);
    client.kill('SIGINT');
    expect(await exited).toBe(0);
  } finally {
    client.kill('SIGKILL');
    await exited;
  }
  expect(await dev.interrupt()).toBe(0);
});
