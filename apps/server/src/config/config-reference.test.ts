import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { configReference } from './config-reference.ts';

const DOCUMENT = new URL('../../../../docs/config.md', import.meta.url);

it('docs/config.md is what the schema says', async () => {
  if (process.env['UPDATE_DOCS']) await writeFile(DOCUMENT, configReference());
  expect(await readFile(DOCUMENT, 'utf8')).toBe(configReference());
});
