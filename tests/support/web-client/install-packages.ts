import { existsSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * Puts a package and all that it depends on into `node_modules` of a folder as npm would: copies, not links into this repository, which
 * bundlers treat otherwise.
 */
export async function installPackages(dir: string, name: string): Promise<void> {
  const installed = new Set<string>();
  const install = async (dependency: string, from: string): Promise<void> => {
    if (installed.has(dependency)) return;
    installed.add(dependency);
    const source = packageFolder(dependency, from);
    const target = path.join(dir, 'node_modules', dependency);
    await mkdir(path.dirname(target), { recursive: true });
    const isOwn = dependency.startsWith('@sluice/');
    const files = isOwn ? ['package.json', 'dist'] : ['.'];
    for (const file of files) {
      await cp(path.join(source, file), path.join(target, file), { recursive: true });
    }
    const text = await readFile(path.join(source, 'package.json'), 'utf8');
    const { dependencies = {} } = JSON.parse(text) as Manifest;
    for (const each of Object.keys(dependencies)) await install(each, source);
  };
  await install(name, path.resolve('packages/client-web'));
}

function packageFolder(name: string, from: string): string {
  if (name.startsWith('@sluice/')) return path.resolve('packages', name.slice('@sluice/'.length));
  const places = createRequire(path.join(from, 'package.json')).resolve.paths(name) ?? [];
  const found = places.map((place) => path.join(place, name)).find(isPackage);
  if (found === undefined) throw new Error(`${name} is not installed`);
  return found;
}

function isPackage(folder: string): boolean {
  return existsSync(path.join(folder, 'package.json'));
}
