import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { compileSyncConfig, formatDiagnostic } from '@sluice/sync-config';
import { describe, expect, test } from 'vitest';

const FOLDER = path.resolve('docs');

interface Block {
  readonly place: string;
  readonly text: string;
}

/** Every fenced block of YAML that is a sync config. */
function syncConfigs(): readonly Block[] {
  const pages = readdirSync(FOLDER).filter((name) => name.endsWith('.md'));
  return pages.flatMap((page) => {
    const text = readFileSync(path.join(FOLDER, page), 'utf8');
    return [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)]
      .map((match) => ({
        place: `docs/${page}:${text.slice(0, match.index).split('\n').length}`,
        text: match[1] ?? '',
      }))
      .filter((block) => /^(bucket_definitions|streams):/m.test(block.text));
  });
}

describe('the sync configs in the documentation compile', () => {
  const blocks = syncConfigs();

  test('there are some', () => expect(blocks.length).toBeGreaterThan(5));

  test.each(blocks)('$place', ({ place, text }) => {
    const { plan, diagnostics } = compileSyncConfig(text, { defaultSchema: 'public' });
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
    expect(errors.map((error) => formatDiagnostic(text, error, place))).toEqual([]);
    const eventTables = plan?.events.flatMap(({ tables }) => tables) ?? [];
    expect([...(plan?.tables ?? []), ...eventTables]).not.toEqual([]);
  });
});

describe('links in the documentation lead somewhere', () => {
  const pages = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)];

  test.each(pages.filter((page) => page.endsWith('.md')))('%s', (page) => {
    const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)];
    const broken = links
      .map(([, target = '']) => path.resolve(path.dirname(page), target))
      .filter((target) => !existsSync(target));
    expect(broken).toEqual([]);
  });
});
