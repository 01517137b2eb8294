import { bytesOf } from './target.ts';

const LEVELS = 20_000;

/** Every level stands for eight of the level below. */
function billionLaughs(levels: number): string {
  const lines = ['a0: &a0 [x]'];
  for (let level = 1; level < levels; level++) {
    lines.push(
      `a${level}: &a${level} [${Array(8)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  }
  return lines.join('\n');
}

const TEXTS = {
  'open brackets': '['.repeat(LEVELS),
  'open braces': '{a: '.repeat(LEVELS),
  'closed brackets': `streams: ${'['.repeat(LEVELS)}${']'.repeat(LEVELS)}`,
  'nested maps': Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  'nested lists on a line': '- '.repeat(LEVELS),
  'nested keys on a line': '? '.repeat(LEVELS),
  'billion laughs': billionLaughs(30),
  'a list in itself': '&a [*a]',
  'a map in itself': '&a {streams: *a}',
  'a definition in itself': 'streams: &a {a: *a}',
  'a merge of itself': 'a: &a {<<: *a}',
  'an alias of nothing': 'streams: *nothing',
  'many mistakes': '\ta: b\n'.repeat(500),
  'many open quotes': `a: '`.repeat(3000),
  'a long number': `port: ${'9'.repeat(100_000)}`,
  'a long key': `${'k'.repeat(500_000)}: 1`,
} as const;

export const YAML_BOMBS: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  Object.entries(TEXTS).map(([name, text]) => [name, bytesOf(text)]),
);
