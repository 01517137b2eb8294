import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadServiceConfig } from '@sluice/server';
import { expect, test } from 'vitest';
import { DATABASE_VARIABLE, starterServiceConfig } from './starter-service-config.ts';

const LOCAL = 'postgresql://me:pass-word@localhost/app';

test('is a valid service configuration that does not hold the password', async () => {
  const configText = starterServiceConfig(LOCAL, 'sync-config.yaml');
  expect(configText).not.toContain('pass-word');
  const cwd = await mkdtemp(path.join(tmpdir(), 'sluice-init-'));
  try {
    await writeFile(path.join(cwd, 'sync-config.yaml'), 'streams: {}');
    const env = { [DATABASE_VARIABLE]: LOCAL };
    const config = await loadServiceConfig({ env, cwd, configText });
    expect(config.source).toMatchObject({ password: 'pass-word', sslMode: 'disable' });
    expect(config.syncConfig?.text).toBe('streams: {}');
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test('asks for a verified certificate where the database is elsewhere', () => {
  const text = starterServiceConfig('postgresql://me:pw@db.example/app', 'sync-config.yaml');
  expect(text).toContain('sslmode: verify-full');
});
