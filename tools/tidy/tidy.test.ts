import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { errorsPage } from '../docs/errors-page.ts';
import { syncConfigSchemaFile } from '../docs/sync-config-schema-file.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
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
      sources: filesBelow(path.join(dir, 'src')).filter((file) => /\.tsx?$/.test(file)),
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

/** Files of packages that bundlers find by their address count, too. */
const ADDRESS = /new URL\('(@?\w[^':]*)', import\.meta\.url\)/g;

function importsOf(file: string): string[] {
  const text = read(file);
  const addresses = [...text.matchAll(ADDRESS)].map(([, name = '']) => name);
  const imported = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
  return [...imported, ...addresses];
}

/** Names of the packages that files import; node's own are left out. */
function importedPackages(files: readonly string[]): Set<string> {
  const specifiers = files.flatMap(importsOf).filter((name) => !/^(\.|node:)/.test(name));
  return new Set(specifiers.map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name));
}

/** Folders inside a package that hold test equipment and are not built. */
const EQUIPMENT = /\/(conformance|testing|crash-test)\//;
const isProduct = (file: string): boolean =>
  !/\.(test|bench)\.tsx?$/.test(file) && !EQUIPMENT.test(file.replace('packages/testing/', ''));
const rootManifest = JSON.parse(read('package.json')) as Manifest;

describe.each(packages)('$dir', ({ dir, manifest, sources }) => {
  const others = (files: readonly string[]) =>
    [...importedPackages(files)].filter((name) => name !== manifest.name).toSorted();
  const product = sources.filter(isProduct);
  const { dependencies, peerDependencies } = manifest;
  const declared = Object.keys({ ...dependencies, ...peerDependencies }).toSorted();

  test('declares what it imports, and imports what it declares', () => {
    expect(others(product)).toEqual(declared);
  });

  test('declares what only its tests import, unless the whole repository has it', () => {
    const inTests = others(sources.filter((file) => !isProduct(file)));
    const shared = Object.keys(rootManifest.devDependencies ?? {});
    const own = inTests.filter((name) => !declared.includes(name) && !shared.includes(name));
    // Types come along with what they describe, and a peer that product code imports is there for tests, too.
    const declaredForTests = Object.keys(manifest.devDependencies ?? {}).filter(
      (name) => !name.startsWith('@types/') && !(name in (peerDependencies ?? {})),
    );
    expect(declaredForTests).toEqual(expect.arrayContaining(own));
    expect(inTests).toEqual(expect.arrayContaining(declaredForTests));
  });

  test('keeps test equipment out of what it ships', () => {
    const reached = product.filter((file) =>
      importsOf(file).some(
        (name) => name.startsWith('.') && !isProduct(path.join(path.dirname(file), name)),
      ),
    );
    expect(reached).toEqual([]);
    const { exclude = [] } = JSON.parse(read(path.join(dir, 'tsconfig.json'))) as {
      exclude?: string[];
    };
    const equipment = sources.map((file) => EQUIPMENT.exec(file.slice(dir.length))?.[1]);
    const folders = [...new Set(equipment)].filter((name) => name !== undefined);
    expect(exclude).toEqual(expect.arrayContaining(folders.map((name) => `src/${name}/**`)));
  });

  test('references the projects that it imports', () => {
    const config = JSON.parse(read(path.join(dir, 'tsconfig.json'))) as {
      references?: { path: string }[];
    };
    const referenced = (config.references ?? []).map((ref) => `@sluice/${path.basename(ref.path)}`);
    const own = declared.filter((name) => name.startsWith('@sluice/'));
    expect(referenced.toSorted()).toEqual(own);
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

test('docs/sync-config.schema.json is what the compiler knows', () => {
  expect(read('docs/sync-config.schema.json')).toBe(syncConfigSchemaFile());
});
