import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorsPage } from '../docs/errors-page.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Package {
  readonly dir: string;
  readonly manifest: Manifest;
  readonly sources: readonly string[];
}

const packages: readonly Package[] = ['packages', 'apps'].flatMap((group) =>
  readdirSync(path.join(ROOT, group)).map((name) => {
    const dir = path.join(group, name);
    return {
      dir,
      manifest: JSON.parse(readFileSync(path.join(ROOT, dir, 'package.json'), 'utf8')) as Manifest,
      sources: filesBelow(path.join(dir, 'src')).filter((file) => file.endsWith('.ts')),
    };
  }),
);
const allSources = [
  ...packages.flatMap(({ sources }) => sources),
  ...['tests', 'bench', 'tools'].flatMap(filesBelow).filter((file) => /\.(ts|mjs)$/.test(file)),
];

function filesBelow(dir: string): string[] {
  const skipped = new Set(['node_modules', 'dist', 'results']);
  return readdirSync(path.join(ROOT, dir), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(dir, entry.name);
    if (!entry.isDirectory()) return [file];
    return skipped.has(entry.name) ? [] : filesBelow(file);
  });
}

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** Names of the packages that a file imports; node's own are left out. */
function importedPackages(file: string): string[] {
  const names = [...read(file).matchAll(/(?:from|import)\s*\(?\s*'([^'.][^']*)'/g)]
    .map(([, specifier = '']) => specifier)
    .filter((specifier) => !specifier.startsWith('node:'));
  return names.map((name) =>
    name
      .split('/')
      .slice(0, name.startsWith('@') ? 2 : 1)
      .join('/'),
  );
}

const isProduct = (file: string): boolean =>
  !/\.(test|bench)\.ts$/.test(file) && !file.includes('/conformance/');

describe.each(packages)('$dir', ({ dir, manifest, sources }) => {
  const imported = new Set(
    sources
      .filter(isProduct)
      .flatMap(importedPackages)
      .filter((name) => name !== manifest.name),
  );
  const declared = new Set(Object.keys(manifest.dependencies ?? {}));

  test('declares what it imports, and imports what it declares', () => {
    expect([...imported].toSorted()).toEqual([...declared].toSorted());
  });

  test('references the projects that it imports', () => {
    const config = JSON.parse(read(path.join(dir, 'tsconfig.json'))) as {
      references?: { path: string }[];
    };
    const referenced = (config.references ?? []).map((ref) => `@sluice/${path.basename(ref.path)}`);
    const own = [...declared].filter((name) => name.startsWith('@sluice/'));
    expect(referenced.toSorted()).toEqual(own.toSorted());
  });

  test('has a README', () => {
    expect(read(path.join(dir, 'README.md')).split('\n').length).toBeGreaterThan(2);
  });
});

test('files are named in kebab-case', () => {
  const odd = allSources.filter((file) => !/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(path.basename(file)));
  expect(odd).toEqual([]);
});

test('no file outgrows one idea', () => {
  const long = allSources.filter((file) => read(file).split('\n').length > 500);
  expect(long).toEqual([]);
});

test('no test is focused or switched off', () => {
  const marked = allSources.filter(
    (file) =>
      file !== 'tools/tidy/tidy.test.ts' &&
      /\b(it|test|describe)\.(only|skip|todo)\(/.test(read(file)),
  );
  expect(marked).toEqual([]);
});

test('docs/errors.md shows the error table', () => {
  expect(read('docs/errors.md')).toBe(errorsPage());
});
