import { describe, expect, test } from 'vitest';
import { compileSyncConfig } from '../compile.ts';
import { findYamlExcess } from './yaml-excess.ts';

describe('a sync config that is too much for the parser', () => {
  test.each([
    ['open brackets', '['.repeat(20_000), 'nested deeper than 100 levels'],
    ['lists on a line', '- '.repeat(5000), 'nested deeper than 100 levels'],
    ['very many keys', `streams:\n${' a:\n'.repeat(50_000)}`, 'too many parts'],
  ])('%s: is refused with a diagnostic, before the parser sees it', (_what, text, message) => {
    const { plan, diagnostics } = compileSyncConfig(text, { defaultSchema: 'public' });
    expect(plan).toBeUndefined();
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]).toMatchObject({ code: 'YAML_SYNTAX', severity: 'error' });
    expect(diagnostics[0]?.message).toContain(message);
  });

  test('is none that people write: a hundred thousand words, ten levels', () => {
    const query = `SELECT * FROM t WHERE ${'a = 1 AND '.repeat(25_000)} b = 2`;
    const stream = (name: number): string => `  s${name}:\n    query: |\n      ${query}\n`;
    expect(findYamlExcess(`streams:\n${[1, 2, 3].map(stream).join('')}`)).toBeUndefined();
    expect(findYamlExcess('[[[[[[[[[[1]]]]]]]]]]')).toBeUndefined();
  });
});
