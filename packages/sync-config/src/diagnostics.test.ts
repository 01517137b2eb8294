import { describe, expect, it } from 'vitest';
import { compile, definition, problems, stream } from './testing/check.ts';
import { formatDiagnostic } from './format-diagnostic.ts';

// The codes of spec/sync-config.md 16, each with its span: spec/chapter-16-diagnostics.test.ts.

describe('with a source schema', () => {
  const column = (name: string) => ({ name, sqliteType: 'text' as const, sourceType: 'text' });
  const schema = [
    { schema: 'public', name: 'todos', columns: ['id', 'title'].map(column) },
    { schema: 'public', name: 'plain', columns: ['a'].map(column) },
  ];

  it('warns about tables and columns that do not exist, and offers near names', () => {
    const yaml = stream('SELECT id, titel FROM todos');
    expect(problems(yaml, schema)).toEqual(['COLUMN_NOT_FOUND: titel']);
    expect(compile(yaml, schema).diagnostics[0]?.fix).toBe('Did you mean title?');
    expect(problems(stream('SELECT * FROM todo'), schema)).toEqual(['TABLE_NOT_FOUND: todo']);
    expect(compile(yaml, schema).plan).toBeDefined();
  });

  it('warns when * has no id', () => {
    expect(problems(definition('SELECT * FROM plain'), schema)).toEqual(['ID_MISSING: *']);
  });
});

describe('places in the file', () => {
  it.each([
    ['plain', 'SELECT id, uper(a) AS b FROM t'],
    ['plain over lines', 'SELECT id,\n     uper(a) AS b\n\n     FROM t'],
    ['single', "'SELECT id, ''x'' AS c, uper(a) AS b FROM t'"],
    ['double', '"SELECT id, \\"x\\" AS c,\\n \\u0061 AS d, \\\n      uper(a) AS b FROM t"'],
    ['literal', '|\n      SELECT id,\n        uper(a) AS b FROM t'],
    ['folded', '>-\n      SELECT id,\n      uper(a) AS b\n        FROM t'],
    ['folded with comment', '> # note uper\n      SELECT id,\n\n      uper(a) AS b FROM t'],
  ])('are exact in a %s scalar', (_, sql) => {
    const yaml = `config: { edition: 3 }\nstreams:\n  s:\n    query: ${sql}\n`;
    const [found] = compile(yaml).diagnostics.filter(({ code }) => code === 'UNKNOWN_FUNCTION');
    expect(found && yaml.slice(found.start, found.end)).toBe('uper');
    expect(found?.start).toBe(yaml.indexOf('uper(a'));
  });

  it('are printed with the source line, an underline and the fix', () => {
    const yaml = stream('SELECT id, uper(a) AS b FROM t');
    const [found] = compile(yaml).diagnostics;
    expect(found && formatDiagnostic(yaml, found, 'sync.yaml')).toBe(
      [
        'sync.yaml:6:18: error UNKNOWN_FUNCTION: There is no function uper',
        '        SELECT id, uper(a) AS b FROM t',
        '                   ^^^^',
        'fix: Did you mean upper?',
      ].join('\n'),
    );
  });

  it('are given for all problems at once', () => {
    const yaml = stream('SELECT id, uper(a) AS b, x.c FROM t WHERE lover(a) = 1');
    expect(problems(yaml)).toEqual([
      'UNKNOWN_FUNCTION: uper',
      'UNKNOWN_TABLE: x',
      'UNKNOWN_FUNCTION: lover',
    ]);
  });
});
