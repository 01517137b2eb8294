import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '@sluice/base';
import { ringOf } from './key-file-format.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';
import { newStoredKey } from './rotate-keys.ts';

const NOW = 1_800_000_000_000;
let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-keys-'));
  file = path.join(dir, 'keys.json');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const fresh = () => newStoredKey({ alg: 'EdDSA', nowMs: NOW, signsFromMs: NOW + 600_000 });

async function outcome(): Promise<string> {
  try {
    const { keys } = await readKeyFile(file);
    await ringOf(keys);
    return 'ok';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

it('what is written is read again', async () => {
  const keys = [await fresh(), await fresh()];
  await writeKeyFile(file, keys);
  expect((await readKeyFile(file)).keys).toEqual(keys);
  expect(await outcome()).toBe('ok');
});

describe('permissions', () => {
  it('a new file is for its owner alone, also where it replaces one that was not', async () => {
    const before = process.umask(0);
    try {
      await writeKeyFile(file, [await fresh()]);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      await chmod(file, 0o666);
      await writeKeyFile(file, [await fresh()]);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    } finally {
      process.umask(before);
    }
  });

  const isRoot = process.getuid?.() === 0;
  const table: readonly (readonly [number, string])[] = [
    [0o600, 'ok'],
    [0o400, 'ok'],
    // How secrets are mounted into containers: of root, for a group.
    [0o640, isRoot ? 'ok' : 'TOKENS_KEYS_EXPOSED'],
    [0o440, isRoot ? 'ok' : 'TOKENS_KEYS_EXPOSED'],
    [0o660, 'TOKENS_KEYS_EXPOSED'],
    [0o644, 'TOKENS_KEYS_EXPOSED'],
    [0o604, 'TOKENS_KEYS_EXPOSED'],
    [0o602, 'TOKENS_KEYS_EXPOSED'],
    [0o666, 'TOKENS_KEYS_EXPOSED'],
  ];
  for (const [mode, expected] of table) {
    it(`mode ${mode.toString(8)}: ${expected}`, async () => {
      await writeKeyFile(file, [await fresh()]);
      await chmod(file, mode);
      expect(await outcome()).toBe(expected);
    });
  }

  it('those of the file count, not those of a link to it', async () => {
    const real = path.join(dir, 'real.json');
    await writeKeyFile(real, [await fresh()]);
    await symlink(real, file);
    expect(await outcome()).toBe('ok');
    await chmod(real, 0o644);
    expect(await outcome()).toBe('TOKENS_KEYS_EXPOSED');
  });

  it('the refusal says what to run', async () => {
    await writeKeyFile(file, [await fresh()]);
    await chmod(file, 0o644);
    await expect(readKeyFile(file)).rejects.toMatchObject({
      message: `Others may read or change the keys in ${file} (mode 0644)`,
      remedy: `Run: chmod 600 ${file}`,
    });
  });
});

describe('files that cannot be used', () => {
  const key = (extra: object = {}) => ({
    created_at: '2026-01-01T00:00:00.000Z',
    signs_from: '2026-01-01T00:00:00.000Z',
    key: { kty: 'OKP', crv: 'Ed25519', x: 'x', d: 'TOP-SECRET' },
    ...extra,
  });
  const table: readonly (readonly [string, string, string])[] = [
    ['empty', '', 'TOKENS_KEYS_INVALID'],
    ['not JSON', '{"version":1,"keys":[TOP-SECRET', 'TOKENS_KEYS_INVALID'],
    ['null', 'null', 'TOKENS_KEYS_INVALID'],
    ['a list', '[]', 'TOKENS_KEYS_INVALID'],
    ['another version', JSON.stringify({ version: 2, keys: [key()] }), 'TOKENS_KEYS_INVALID'],
    ['no keys', JSON.stringify({ version: 1, keys: [] }), 'TOKENS_KEYS_INVALID'],
    [
      'a time that is none',
      JSON.stringify({ version: 1, keys: [key({ signs_from: 'soon' })] }),
      'TOKENS_KEYS_INVALID',
    ],
    ['a damaged key', JSON.stringify({ version: 1, keys: [key()] }), 'TOKENS_KEYS_INVALID'],
    ['a bare JWK', JSON.stringify(key().key), 'TOKENS_KEYS_INVALID'],
  ];
  for (const [title, text, expected] of table) {
    it(title, async () => {
      await writeFile(file, text, { mode: 0o600 });
      expect(await outcome()).toBe(expected);
      const error = await readKeyFile(file).catch((thrown: unknown) => thrown);
      expect(JSON.stringify(error, ['message', 'cause', 'details'])).not.toContain('TOP-SECRET');
    });
  }

  it('two keys of one name', async () => {
    const one = await fresh();
    await writeKeyFile(file, [one, one]);
    expect(await outcome()).toBe('TOKENS_KEYS_INVALID');
  });

  it('none at all; the remedy makes it', async () => {
    expect(await outcome()).toBe('TOKENS_KEYS_MISSING');
    await expect(readKeyFile(file)).rejects.toMatchObject({
      remedy: `Run: sluice keys generate --out ${file}`,
    });
  });

  it('a folder', async () => {
    file = dir;
    expect(await outcome()).toBe('TOKENS_KEYS_MISSING');
  });
});

it('of two that write at the same time, one is refused and the file is whole', async () => {
  await writeKeyFile(file, [await fresh()]);
  const writers = await Promise.all([fresh(), fresh(), fresh()]);
  const results = await Promise.allSettled(writers.map((key) => writeKeyFile(file, [key])));
  expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
  for (const result of results) {
    if (result.status === 'rejected') {
      expect(result.reason).toMatchObject({ code: 'TOKENS_KEYS_MISSING' });
    }
  }
  expect(await outcome()).toBe('ok');
  await expect(readFile(`${file}.new`)).rejects.toMatchObject({ code: 'ENOENT' });
});
