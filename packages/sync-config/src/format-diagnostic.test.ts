import { describe, expect, it } from 'vitest';
import type { Diagnostic } from './contract.ts';
import { formatDiagnostic, positionAt, type FormatOptions } from './format-diagnostic.ts';

function format(yaml: string, part: string, options?: FormatOptions, to = part): string[] {
  const start = yaml.indexOf(part);
  const end = yaml.indexOf(to, start) + to.length;
  const diagnostic: Diagnostic = { code: 'C', severity: 'error', message: 'M', start, end };
  return formatDiagnostic(yaml, diagnostic, 'f.yaml', options).split('\n');
}

describe('a diagnostic for people', () => {
  it('has place, source line and underline', () => {
    expect(format('a: 1\nb: two\n', 'two')).toEqual([
      'f.yaml:2:4: error C: M',
      '  b: two',
      '     ^^^',
    ]);
  });

  it('keeps tabs, so that the underline stands below the text', () => {
    expect(format('a:\n\tb: two', 'two').slice(1)).toEqual(['  \tb: two', '  \t   ^^^']);
  });

  it('counts wide characters as they are shown', () => {
    expect(format('名前: two', 'two').slice(1)).toEqual(['  名前: two', '        ^^^']);
    expect(format("x: '😀' two", 'two').slice(1)).toEqual(["  x: '😀' two", '          ^^^']);
  });

  it('underlines every line of a short problem without its indentation', () => {
    expect(format('q: |\n  SELECT a\n    FROM b\n', 'SELECT', {}, 'FROM b').slice(1)).toEqual([
      '    SELECT a',
      '    ^^^^^^^^',
      '      FROM b',
      '      ^^^^^^',
    ]);
  });

  it('shows the beginning and the end of a long one', () => {
    const yaml = 'one\ntwo\nthree\nfour\nfive\nsix\n';
    expect(format(yaml, 'one', {}, 'six').slice(1)).toEqual([
      '  one', '  ^^^', '  two', '  ^^^', '  …', '  six', '  ^^^',
    ]); // prettier-ignore
  });

  it('cuts a long line around the place', () => {
    const yaml = `${'a'.repeat(200)} here ${'b'.repeat(200)}`;
    const [, line = '', under = ''] = format(yaml, 'here', { columns: 60 });
    expect(line.length).toBeLessThanOrEqual(60);
    expect(line).toMatch(/^ {2}…a+ here b+…$/);
    expect(under.indexOf('^')).toBe(line.indexOf('here'));
    expect(under.trim()).toBe('^^^^');
  });

  it('cuts what is underlined when it alone is too long', () => {
    const [, line = '', under = ''] = format('x'.repeat(300), 'x'.repeat(300), { columns: 50 });
    expect(line.length).toBeLessThanOrEqual(50);
    expect(under.length).toBeLessThanOrEqual(line.length);
  });

  it('stands at the end of the text when that is where the problem is', () => {
    const diagnostic: Diagnostic = {
      code: 'C',
      severity: 'warning',
      message: 'M',
      start: 99,
      end: 99,
    };
    expect(formatDiagnostic('a: b', diagnostic, 'f')).toBe('f:1:5: warning C: M\n  a: b\n      ^');
  });

  it('is coloured by whoever prints it', () => {
    const paint: FormatOptions['paint'] = (part, text) => `<${part}>${text}</>`;
    expect(format('b: two', 'two', { paint })[0]).toBe(
      '<place>f.yaml:1:4:</> <severity>error C:</> <message>M</>',
    );
  });

  it('counts lines and columns from 1, in UTF-16 units', () => {
    expect(positionAt('ab\r\n😀c', 6)).toEqual({ line: 2, column: 3 });
    expect(positionAt('', 5)).toEqual({ line: 1, column: 1 });
  });
});
