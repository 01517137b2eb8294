import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CliContext } from '../cli-context.ts';
import { buildProgram } from '../program.ts';
import { createScreen } from '../terminal/screen.ts';

let cwd: string;
let file: string;
beforeEach(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'sluice-keys-'));
  file = path.join(cwd, 'sluice-keys.json');
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

/** What `sluice keys …` prints. */
async function keys(...args: readonly string[]): Promise<string> {
  let output = '';
  const context: CliContext = {
    cwd,
    env: {},
    version: '0',
    screen: createScreen({ write: (part) => (output += part) }, {}),
    errors: createScreen({ write: () => undefined }, {}),
    interrupt: {
      signal: AbortSignal.abort(),
      onForce: () => undefined,
      [Symbol.dispose]: () => undefined,
    },
  };
  await buildProgram(context).parseAsync(['keys', ...args], { from: 'user' });
  return output;
}

interface File {
  readonly keys: readonly { readonly key: { readonly kid: string; readonly alg: string } }[];
}
const stored = async () => (JSON.parse(await readFile(file, 'utf8')) as File).keys;

test('generate writes a key for this user alone, and does not overwrite one', async () => {
  const output = await keys('generate');
  const [first] = await stored();
  expect(output).toContain(`✓ sluice-keys.json written, with the ES256 key ${first?.key.kid}`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await expect(keys('generate')).rejects.toMatchObject({ code: 'CLI_USAGE' });
  expect(await stored()).toEqual([first]);
});

test('generate --env prints variables and writes nothing', async () => {
  const lines = (await keys('generate', '--env', '--alg', 'EdDSA')).trim().split('\n');
  expect(lines.map((line) => line.split('=')[0])).toEqual([
    'SLUICE_PRIVATE_KEY',
    'SLUICE_PUBLIC_KEY',
  ]);
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('rotate adds a key of the same algorithm that signs in ten minutes; list tells', async () => {
  await keys('generate', '--alg', 'RS256');
  const output = await keys('rotate');
  const [first, second] = await stored();
  expect(second?.key.alg).toBe('RS256');
  expect(output).toMatch(/It signs from .*Z on\. Older tokens stay good/);
  const [, , older, newer] = (await keys('list')).trim().split('\n');
  expect(older).toContain(first?.key.kid);
  expect(older).toMatch(/signs, until the next one does$/);
  expect(newer).toContain(second?.key.kid);
  expect(newer).toMatch(/published, signs from .*Z$/);
});

test('rotate --after 0 takes over at once, and the older key is accepted for a day', async () => {
  await keys('generate', '--out', 'sluice-keys.json');
  await keys('rotate', '--after', '0', '--alg', 'EdDSA');
  const [, , older, newer] = (await keys('list', 'sluice-keys.json')).trim().split('\n');
  expect(older).toMatch(/accepted until /);
  expect(newer).toMatch(/EdDSA .* signs$/);
});

test('rotate --retire leaves the new key alone', async () => {
  await keys('generate');
  const [first] = await stored();
  expect(await keys('rotate', '--retire')).toContain('It signs from now on');
  const after = await stored();
  expect(after).toHaveLength(1);
  expect(after[0]?.key.kid).not.toBe(first?.key.kid);
  await expect(keys('rotate', '--retire', '--after', '5')).rejects.toMatchObject({
    code: 'CLI_USAGE',
  });
});

test('a file that others can read, and one that is not there, are refused', async () => {
  await expect(keys('list')).rejects.toMatchObject({ code: 'TOKENS_KEYS_MISSING' });
  await keys('generate');
  await chmod(file, 0o644);
  for (const command of ['list', 'rotate']) {
    await expect(keys(command)).rejects.toMatchObject({ code: 'TOKENS_KEYS_EXPOSED' });
  }
  expect(await stored()).toHaveLength(1);
});
