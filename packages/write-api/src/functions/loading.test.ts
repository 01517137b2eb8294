import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock, type AppError } from '@sluice/base';
import { until } from '@sluice/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { AppFunctions } from './app-functions.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { ANN, FunctionsFolder } from '../testing/functions-folder.ts';
import { watchFunctions } from './watch-functions.ts';

let folder: FunctionsFolder;
afterEach(() => folder[Symbol.asyncDispose]());

async function answerOf(functions: AppFunctions, name: string): Promise<string> {
  const routes = endpointRoutes({ functions, authenticate: async () => ANN, maxBodyBytes: 1000 });
  const route = routes.find(({ method, path: own }) => method === 'GET' && own.endsWith('/:a'));
  const response = await route?.handle(new Request(`http://x/functions/${name}`), { a: name });
  return (await response?.text()) ?? '';
}

const endpoint = (value: string) =>
  `export default defineEndpoint({ method: 'GET', handler: () => ${value} });`;

describe('a folder of functions', () => {
  test('names its definitions after file, export, or what they say', async () => {
    folder = await FunctionsFolder.create({
      'todos.ts': 'export default defineTable({ afterWrite() {} });',
      'more.mjs': `export const lists = defineTable({ beforeWrite() {} });
        export const other = defineTable({ table: 'notes', resolveConflict() {} });
        export const me = defineSignIn({ handler: () => null });
        export const orders = defineEndpoint({ path: 'orders/:id', method: 'GET', public: true, handler() {} });
        export const helper = 7;`,
      'plain.js': endpoint('1'),
      '_shared.ts': 'this is not read',
      'todos.test.ts': 'nor is this',
      'types.d.ts': 'nor this',
      'deep/inner.ts': 'nor this',
      'README.md': 'nor this',
    });
    const { manifest } = await folder.open();
    expect(manifest).toMatchObject({
      tables: [
        { table: 'lists', file: 'more.mjs', beforeWrite: true, afterWrite: false },
        { table: 'notes', name: 'other', resolveConflict: true },
        { table: 'todos', file: 'todos.ts', afterWrite: true },
      ],
      endpoints: [
        { name: 'orders', method: 'GET', path: ['orders', ':id'], isPublic: true },
        { name: 'plain', method: 'GET', path: ['plain'], isPublic: false },
      ],
      signIns: [{ name: 'me' }],
    });
  });

  test('may use types, enums, other files, JSON, packages, and what Node.js has', async () => {
    folder = await FunctionsFolder.create({
      'a.ts': `
        import { createHash } from 'node:crypto';
        import { twice } from './_lib/twice.ts';
        import { cjs } from 'some-package';
        import esm from 'esm-package';
        import data from './_lib/data.json';
        enum Level { Low = 1 }
        interface Wide<T> { readonly value: T }
        export default defineEndpoint({ method: 'GET', async handler() {
          const { late } = await import('./_lib/late.ts');
          const level: Wide<number> = { value: Level.Low satisfies number };
          return [twice(2), cjs, esm, data.x, late, level.value, createHash('md5').update('').digest('hex').length,
            import.meta.dirname.endsWith('functions')];
        } });`,
      '_lib/twice.ts': 'export const twice = (n: number): number => n * 2;',
      '_lib/late.ts': "export const late: string = 'late';",
      '_lib/data.json': '{ "x": "json" }',
    });
    const modules = path.join(path.dirname(folder.path), 'node_modules');
    for (const [name, type, text] of [
      ['some-package', 'commonjs', "exports.cjs = 'cjs';"],
      ['esm-package', 'module', "export default 'esm';"],
    ] as const) {
      await mkdir(path.join(modules, name), { recursive: true });
      const facts = { name, type, main: 'index.js', exports: './index.js' };
      await writeFile(path.join(modules, name, 'package.json'), JSON.stringify(facts));
      await writeFile(path.join(modules, name, 'index.js'), text);
    }
    const functions = await folder.open();
    expect(JSON.parse(await answerOf(functions, 'a'))).toEqual([
      4,
      'cjs',
      'esm',
      'json',
      'late',
      1,
      32,
      true,
    ]);
  });

  test.each<[string, Record<string, string>, string[]]>([
    [
      'syntax errors of all files',
      { 'a.ts': 'const = 1;', 'b.ts': '\n  let x y;' },
      ['a.ts:1:7: ', 'b.ts:2:9: '],
    ],
    [
      'a file that is not there',
      { 'a.ts': "import './no.ts';" },
      ['a.ts:1:8: Could not resolve "./no.ts"'],
    ],
    [
      'a package that is not there',
      { 'a.ts': "import 'no-such-package';" },
      ["Cannot find module 'no-such-package'"],
    ],
    ['what a file throws', { 'a.ts': '\nthrow new Error("at start");' }, ['at start', 'a.ts:2']],
    ['a file that ends the process', { 'a.ts': 'process.exit(1);' }, ['code 1']],
    ['a file that never ends', { 'a.ts': 'for (;;);' }, ['longer than 700 ms']],
    [
      'two functions for a table',
      { 'a.ts': "export default defineTable({ table: 'x' }); export const x = defineTable({});" },
      ['Both a.ts and a.ts define functions for the table x'],
    ],
    [
      'two functions for a route',
      {
        'a.ts': "export default defineEndpoint({ path: 'x/:a', handler() {} });",
        'b.ts': "export default defineEndpoint({ path: 'x/:b', handler() {} });",
      },
      ['Both a.ts and b.ts define the route POST /functions/x/:'],
    ],
    [
      'a hook by a wrong name',
      { 'a.ts': 'export default defineTable({ onWrite() {} });' },
      ['a.ts: defineTable does not know onWrite'],
    ],
    [
      'a hook that is no function',
      { 'a.ts': 'export default defineTable({ beforeWrite: 1 });' },
      ['a.ts: beforeWrite is not a function'],
    ],
    [
      'an endpoint without handler',
      { 'a.ts': 'export default defineEndpoint({});' },
      ['the endpoint a has no handler'],
    ],
    [
      'a wrong method',
      { 'a.ts': "export default defineEndpoint({ method: 'LOOK', handler() {} });" },
      ['method is LOOK'],
    ],
  ])('is refused for %s', async (_, files, texts) => {
    folder = await FunctionsFolder.create(files);
    const error = await folder.open({ limits: { loadTimeoutMs: 700 } }).then(
      () => undefined,
      (failure: AppError) => failure,
    );
    expect(error?.code).toBe('FUNCTION_INVALID');
    for (const text of texts) expect(error?.message).toContain(text);
  });

  test('that is not there is refused', async () => {
    folder = await FunctionsFolder.create({});
    await rm(folder.path, { recursive: true });
    await expect(folder.open()).rejects.toMatchObject({ code: 'FUNCTION_INVALID' });
  });
});

test('in development, a changed file serves at once, and a broken one is reported and serves not', async () => {
  folder = await FunctionsFolder.create({
    'a.ts': `import { value } from './_lib/value.ts'; ${endpoint('value')}`,
    '_lib/value.ts': 'export const value = 1;',
  });
  const functions = await folder.open();
  const stop = new AbortController();
  const reloads: (AppError | undefined)[] = [];
  const watching = watchFunctions({
    functions,
    folder: folder.path,
    clock: systemClock,
    signal: stop.signal,
    onReload: (problem) => void reloads.push(problem),
  });
  expect(await answerOf(functions, 'a')).toBe('1');

  await folder.write({ '_lib/value.ts': 'export const value = 22;' });
  await until('the first reload', () => reloads.length === 1);
  expect(await answerOf(functions, 'a')).toBe('22');

  await folder.write({ '_lib/value.ts': 'export const value = ;' });
  await until('the second reload', () => reloads.length === 2);
  expect(reloads[1]?.message).toBe('_lib/value.ts:1:22: Unexpected ";"');
  expect(await answerOf(functions, 'a')).toBe('22');

  await folder.write({ '_lib/value.ts': 'export const value = 333;', 'b.ts': endpoint('"new"') });
  await until('the third reload', () => reloads.length === 3);
  expect(await answerOf(functions, 'a')).toBe('333');
  expect(await answerOf(functions, 'b')).toBe('"new"');
  expect(reloads.map((problem) => problem?.code)).toEqual([
    undefined,
    'FUNCTION_INVALID',
    undefined,
  ]);
  stop.abort();
  await watching;
});
