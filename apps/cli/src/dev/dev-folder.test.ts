import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { jwtVerify, type JWK } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DevFolder } from './dev-folder.ts';
import { DEV_AUDIENCE, openDevTokens, signDevToken } from './dev-token.ts';
import { choosePort } from './free-port.ts';

let parent: string;
beforeEach(async () => (parent = await mkdtemp(path.join(tmpdir(), 'sluice-dev-'))));
afterEach(() => rm(parent, { recursive: true, force: true }));

const STATE = {
  serviceUrl: 'http://localhost:8080',
  uploadUrl: 'http://localhost:8081/upload',
  databaseUrl: 'postgresql://x',
  users: ['alice'],
  running: true,
};

test('the key is made once, for this user only, and found from folders below', async () => {
  const folder = await DevFolder.create(path.join(parent, '.sluice'));
  const file = await folder.keyFile();
  const key = await readFile(file, 'utf8');
  await folder.keyFile();
  expect(await readFile(file, 'utf8')).toBe(key);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const below = path.join(parent, 'a', 'b');
  expect(await DevFolder.find(below)?.keyFile()).toBe(file);
  expect(DevFolder.find(tmpdir())).toBeUndefined();
});

test('a token names its user and is valid for a day', async () => {
  const file = await (await DevFolder.create(parent)).keyFile();
  const token = await signDevToken(file, 'alice');
  const { keys } = await (await openDevTokens(file)).keySource.lookup();
  const { payload } = await jwtVerify(token, keys[0]?.jwk as JWK, { audience: DEV_AUDIENCE });
  expect(payload.sub).toBe('alice');
  expect(Number(payload.exp) - Number(payload.iat)).toBe(24 * 60 * 60);
});

test('a folder in use is refused; one that a dead process left is not', async () => {
  const folder = await DevFolder.create(parent);
  folder.assertFree();
  await folder.saveState({ ...STATE, pid: process.ppid });
  expect(() => folder.assertFree()).toThrow(/already runs/);
  await folder.saveState({ ...STATE, pid: 2 ** 22 + 1 });
  folder.assertFree();
  await folder.saveState({ ...STATE, pid: process.ppid, running: false });
  folder.assertFree();
});

test('a damaged state file is as none', async () => {
  const folder = await DevFolder.create(parent);
  await writeFile(folder.file('dev.json'), '{"pid":');
  expect(folder.state()).toBeUndefined();
});

test('a taken default port gives way to the next; one that the user chose does not', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const address = blocker.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const next = await choosePort({ port, chosenByUser: false, option: '--port' });
    expect(next.insteadOf).toBe(port);
    expect(next.port).toBeGreaterThan(port);
    await expect(choosePort({ port, chosenByUser: true, option: '--port' })).rejects.toMatchObject({
      code: 'CLI_PORT_IN_USE',
      remedy: 'Stop it, or choose another port with --port',
    });
  } finally {
    await new Promise((resolve) => blocker.close(resolve));
  }
});
