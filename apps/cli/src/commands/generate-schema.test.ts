import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SCHEMA_FORMATS } from '@sluice/sync-config';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CliContext } from '../cli-context.ts';
import { createScreen } from '../terminal/screen.ts';
import { generateSchemaCommand, type GenerateSchemaOptions } from './generate-schema.ts';

const CONFIG = `
config: { edition: 3 }
streams:
  todos:
    accept_potentially_dangerous_queries: true
    query: SELECT id, title FROM todos WHERE list_id = subscription.parameter('list_id')
`;

let cwd: string;
let output: string;
let errors: string;

beforeEach(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'sluice-generate-'));
  await writeFile(path.join(cwd, 'sync-config.yaml'), CONFIG);
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

function generate(options: Partial<GenerateSchemaOptions>, file?: string): Promise<void> {
  output = '';
  errors = '';
  const context: CliContext = {
    cwd,
    env: {},
    version: '0',
    screen: createScreen({ write: (part) => (output += part) }, {}),
    errors: createScreen({ write: (part) => (errors += part) }, {}),
    interrupt: {
      signal: AbortSignal.abort(),
      onForce: () => undefined,
      [Symbol.dispose]: () => undefined,
    },
  };
  const defaults = { format: 'typescript', package: '@powersync/web', db: false } as const;
  return generateSchemaCommand(context, file, { ...defaults, ...options });
}

describe('generate schema', () => {
  test('prints nothing but the schema', async () => {
    await generate({ format: 'sqldelight' });
    expect(output).toMatch(/^-- .*\n-- .*\n\nCREATE TABLE todos \(\n[^;]*title TEXT\n\);\n$/);
    await generate({ format: 'js', package: '@powersync/node' });
    expect(output).toContain("from '@powersync/node';");
  });

  test('--check compares with the file that --out wrote, whatever its line ends', async () => {
    await expect(generate({ out: 'schema.ts', check: true })).rejects.toMatchObject({
      code: 'CLI_OUT_OF_DATE',
      message: 'schema.ts does not exist',
    });
    await generate({ out: 'schema.ts' });
    expect(output).toBe('✓ schema.ts written: 1 table, 1 stream\n');
    await generate({ out: 'schema.ts', check: true });
    expect(output).toBe('✓ schema.ts is up to date\n');
    const file = path.join(cwd, 'schema.ts');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('\n', '\r\n'));
    await generate({ out: 'schema.ts', check: true });
    await writeFile(path.join(cwd, 'sync-config.yaml'), CONFIG.replace('title', 'title, done'));
    await expect(generate({ out: 'schema.ts', check: true })).rejects.toMatchObject({
      code: 'CLI_OUT_OF_DATE',
      message: 'schema.ts differs from the sync config',
    });
    expect(await readFile(file, 'utf8')).not.toContain('done');
  });

  test('says on standard error what is wrong with the config, and what clients refuse', async () => {
    await writeFile(path.join(cwd, 'bad.yaml'), CONFIG.replace('title', 'uper(title) AS t'));
    await expect(generate({}, 'bad.yaml')).rejects.toMatchObject({ code: 'CONFIG_SYNC_INVALID' });
    expect(errors).toMatch(/bad\.yaml:6:\d+: error UNKNOWN_FUNCTION/);
    expect(output).toBe('');
    await writeFile(path.join(cwd, 'odd.yaml'), CONFIG.replace('title', 'title AS "my title"'));
    await generate({}, 'odd.yaml');
    expect(errors).toMatch(/^! Clients refuse the name of a column/);
  });

  test('asks for a database unless told to go without', async () => {
    await expect(generate({ db: undefined })).rejects.toMatchObject({
      code: 'CLI_USAGE',
      remedy: expect.stringContaining('--no-db') as string,
    });
  });

  test('lists the formats, and names them when one is not known', async () => {
    await generate({ listFormats: true });
    expect(output.trimEnd().split('\n')).toHaveLength(SCHEMA_FORMATS.length);
    expect(output).toMatch(/^swift +Swift SDK$/m);
    await expect(generate({ format: 'cobol' })).rejects.toMatchObject({
      remedy: expect.stringContaining('swift') as string,
    });
    await expect(generate({ check: true })).rejects.toMatchObject({ code: 'CLI_USAGE' });
  });

  test('takes sync config and database from the configuration of a service', async () => {
    await writeFile(
      path.join(cwd, 'sluice.yaml'),
      'sync_config: { path: other.yaml }\nclient_auth: { audience: [a] }\n',
    );
    await writeFile(path.join(cwd, 'other.yaml'), CONFIG.replaceAll('todos', 'tasks'));
    await generate({ config: 'sluice.yaml', format: 'drift' });
    expect(output).toContain('CREATE TABLE tasks');
    await expect(generate({ config: 'sluice.yaml', db: undefined })).rejects.toMatchObject({
      code: 'CLI_USAGE',
    });
  });
});
