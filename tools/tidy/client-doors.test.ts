import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What is exported where it means something on that platform only. */
const DIFFERENCES = {
  'client-node': ['ConnectionOptions', 'openConnection'],
  'client-web': ['requestPersistence', 'StorageKind', 'WebDatabase'],
} as const;

/** Names by whether they are values or types: `export { a, type B } from …` and `export type { C } from …`. */
function exportsOf(packageName: string): readonly string[] {
  const text = readFileSync(path.join(ROOT, `packages/${packageName}/src/index.ts`), 'utf8');
  const found = [...text.matchAll(/export (type )?\{([^}]*)\} from/g)];
  return found
    .flatMap(([, allTypes, names = '']) =>
      names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
        .map((name) => (allTypes === undefined ? name : `type ${name}`)),
    )
    .toSorted();
}

const nameOf = (exported: string): string => exported.replace(/^type /, '');

test('what an app imports is the same on every platform, but for what the platform is', () => {
  const [node, web] = [exportsOf('client-node'), exportsOf('client-web')];
  expect(node.length).toBeGreaterThan(50);
  expect(
    node
      .filter((each) => !web.includes(each))
      .map(nameOf)
      .toSorted(),
  ).toEqual(DIFFERENCES['client-node'].toSorted());
  expect(
    web
      .filter((each) => !node.includes(each))
      .map(nameOf)
      .toSorted(),
  ).toEqual(DIFFERENCES['client-web'].toSorted());
});
