import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Pages that say for each line of a specification which tests hold it. */
const PAGES = [
  { page: 'docs/client-acceptance.md', base: 'packages/client/src/', minRows: 36 },
  { page: 'docs/protocol-coverage.md', base: '', minRows: 40 },
];

interface Named {
  readonly file: string;
  readonly titles: readonly string[];
}

/** In a row: a file in backquotes, and titles in quotes until the next file. */
function namedTests(row: string, base: string): readonly Named[] {
  return [...row.matchAll(/`([^`\s]+\.(?:test\.tsx?|ts))`((?: › )?[^`]*)/g)].map(
    ([, file = '', rest = '']) => ({
      file: /^(?:packages|apps|tests|tools)\//.test(file) ? file : base + file,
      titles: [...rest.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title),
    }),
  );
}

function rowsOf(page: string): readonly (readonly string[])[] {
  return readFileSync(path.join(ROOT, page), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:what|-+) /.test(line))
    .map((line) => line.split(' | '));
}

describe.each(PAGES)('$page', ({ page, base, minRows }) => {
  const rows = rowsOf(page);

  test('has the list', () => expect(rows.length).toBeGreaterThanOrEqual(minRows));

  test.each(rows.map(([what = '', ...rest]) => ({ what: what.slice(2).trim(), rest })))(
    '$what: tests that exist, or a reason',
    ({ rest: [tests = '', open = ''] }) => {
      const named = namedTests(tests, base);
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
