import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterEach, expect, test } from 'vitest';
import { FunctionsFolder } from '../testing/functions-folder.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const page = readFileSync(path.join(ROOT, 'docs/functions.md'), 'utf8');
/** By the name in the first line of the example. */
const examples = Object.fromEntries(
  [...page.matchAll(/```ts\n\/\/ functions\/([\w-]+\.ts)[^\n]*\n(.*?)```/gs)].map(
    ([, name = '', text = '']) => [name, text],
  ),
);

let folder: FunctionsFolder | undefined;
afterEach(() => folder?.[Symbol.asyncDispose]());

test('the examples of docs/functions.md compile with strict types, and are loaded', async () => {
  expect(Object.keys(examples)).toEqual(['todos.ts', 'close-list.ts', 'sign-in.ts']);
  folder = await FunctionsFolder.create({});
  await folder.write(examples, { imports: false });
  const { manifest } = await folder.open();
  expect(manifest).toMatchObject({
    tables: [{ table: 'todos', beforeWrite: true, afterWrite: true }],
    endpoints: [{ method: 'POST', path: ['lists', ':id', 'close'] }],
    signIns: [{ name: 'sign-in' }],
  });
  const { path: place } = folder;
  expect(typeProblems(Object.keys(examples).map((name) => path.join(place, name)))).toEqual([]);
});

function typeProblems(files: readonly string[]): readonly string[] {
  const program = ts.createProgram(files, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    typeRoots: [path.join(ROOT, 'node_modules/@types')],
    allowImportingTsExtensions: true,
    paths: {
      '@sluice/write-api/functions': [
        path.join(ROOT, 'packages/write-api/src/functions/define.ts'),
      ],
    },
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
