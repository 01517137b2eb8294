import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PAGE = 'docs/client-acceptance.md';

interface Named {
  readonly file: string;
  readonly titles: readonly string[];
}

/** In a row: a file in backquotes, and titles in quotes until the next file. */
function namedTests(row: string): readonly Named[] {
  return [...row.matchAll(/`([^`\s]+\.(?:test\.tsx?|ts))`((?: › )?[^`]*)/g)].map(
    ([, file = '', rest = '']) => ({
      file: /^(?:packages|tests)\//.test(file) ? file : `packages/client/src/${file}`,
      titles: [...rest.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title),
    }),
  );
}

const rows = readFileSync(path.join(ROOT, PAGE), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:what|-+) /.test(line))
  .map((line) => line.split(' | '));

describe(PAGE, () => {
  test('has the list', () => expect(rows.length).toBeGreaterThan(35));

  test.each(rows.map(([what = '', ...rest]) => ({ what: what.slice(2).trim(), rest })))(
    '$what: tests that exist, or a reason',
    ({ rest: [tests = '', open = ''] }) => {
      const named = namedTests(tests);
      if (named.length === 0) expect(open.replace('|', '').trim()).not.toBe('');
      const missing = named.flatMap(({ file, titles }) => {
        const place = path.join(ROOT, file);
        if (!existsSync(place)) return [file];
        const text = readFileSync(place, 'utf8');
        return titles.filter((title) => !text.includes(title)).map((title) => `${file} › ${title}`);
      });
      expect(missing).toEqual([]);
    },
  );
});
