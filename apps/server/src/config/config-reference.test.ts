import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { configReference } from './config-reference.ts';

const DOCUMENT = new URL('../../../../docs/config.md', import.meta.url);

it('docs/config.md is what the schema says (npm run docs writes it)', async () => {
  expect(await readFile(DOCUMENT, 'utf8')).toBe(configReference());
});
