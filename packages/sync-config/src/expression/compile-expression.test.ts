import { describe, expect, it } from 'vitest';
import type { SqliteValue } from '@sluice/model';
import { formatDiagnostic } from '../format-diagnostic.ts';
import { compileExpression } from './compile-expression.ts';
import type { ExpressionScope, ExpressionValues } from './expression-scope.ts';

const scope: ExpressionScope = {
  qualifiers: new Map([
    ['old', 'old'],
    ['new', 'new'],
  ]),
  bareRow: 'row',
  columns: new Set(['id', 'owner_id', 'name', 'ownerName', 'tags']),
  table: 'lists',
};

const values: ExpressionValues = {
  row: (name) => ROWS[name],
  claims: { sub: 'ann', role: 'admin', teams: ['a', 'b'], deep: { x: 7 }, 'a.b': 1 },
  metadata: 'from import',
  clientId: null,
  now: new Date('2026-03-04T05:06:07.089Z'),
  uuid: sequence(),
};

const ROWS: Readonly<Record<string, ReadonlyMap<string, SqliteValue>>> = {
  row: new Map<string, SqliteValue>([['id', 'r'], ['name', 'bare']]),
  new: new Map<string, SqliteValue>([['id', 'n'], ['owner_id', 'ann'], ['name', 'New']]),
}; // prettier-ignore

function sequence(): () => string {
  let count = 0;
  return () => `uuid-${count++}`;
}

function compiled(text: string, inScope = scope) {
  const { expression, diagnostics } = compileExpression({ text }, inScope);
  expect(diagnostics).toEqual([]);
  if (expression === undefined) throw new Error(`no expression for ${text}`);
  return expression;
}

function problems(text: string, inScope = scope): readonly string[] {
  const { expression, diagnostics } = compileExpression({ text }, inScope);
  expect(expression).toBeUndefined();
  return diagnostics.map((diagnostic) => formatDiagnostic(text, diagnostic, 'rule'));
}

describe('an expression over rows that are named', () => {
  it.each<[text: string, value: SqliteValue]>([
    ["new.owner_id = auth.user_id()", 1n],
    ['owner_id is null', 1n],
    ['name', 'bare'],
    ['lists.name', 'bare'],
    ['NEW.name', 'New'],
    ['old.name', null],
    ['old.name = 1', null],
    ['new."ownerName"', null],
    ["auth.parameter('role')", 'admin'],
    ["auth.parameter('none')", null],
    ["auth.parameter('$.deep.x')", 7n],
    ["auth.parameter('a.b')", 1n],
    ["'a' in auth.parameter('teams')", 1n],
    ["auth.parameters() ->> 'role'", 'admin'],
    ['request.user_id()', 'ann'],
    ["request.jwt() ->> 'sub'", 'ann'],
    ['request.metadata()', 'from import'],
    ['request.client_id()', null],
    ['now()', '2026-03-04T05:06:07.089Z'],
    ['current_timestamp', '2026-03-04T05:06:07.089Z'],
    ["datetime('now')", '2026-03-04 05:06:07'],
    ['datetime()', '2026-03-04 05:06:07'],
    ["date('NOW', '+1 day')", '2026-03-05'],
    ["strftime('%Y', 'now')", '2026'],
    ["datetime('2020-01-01')", '2020-01-01 00:00:00'],
    ["unixepoch('now')", 1772600767n],
    ['uuid() || uuid()', 'uuid-0uuid-1'],
    ['length(new.name) between 1 and 3', 1n],
    ["new.name like 'n%'", 1n],
    ['1 + 1', 2n],
    ["'10' > 9", 1n],
  ])('%s is %s', (text, value) => {
    expect(compiled(text).evaluate(values)).toEqual(value);
  }); // prettier-ignore

  it('says which columns it reads, and by which words', () => {
    const { reads, qualifiers } = compiled("old.name = new.name and id = 'x'");
    expect(reads).toEqual([
      { row: 'old', column: 'name' },
      { row: 'new', column: 'name' },
      { row: 'row', column: 'id' },
    ]);
    expect([...qualifiers]).toEqual(['old', 'new', '']);
  });

  it.each([
    ['true', 1n],
    ["'a' || 'b'", 'ab'],
    ['auth.user_id()', undefined],
    ['now()', undefined],
    ['name', undefined],
  ])('%s has the constant value %s', (text, value) => {
    expect(compiled(text).constant).toBe(value);
  });

  it.each(['null', 'old.name = 1', "json_extract(new.name, '$.x')", "'text'", '0'])(
    '%s does not count as true',
    (text) => {
      expect(compiled(text).isTrue(values)).toBe(false);
    },
  );

  it.each([
    ['new.nme = 1', ['There is no column nme in lists', '^^^', 'Did you mean name?']],
    ['"x" = 1', ["Write 'x' if it is a text"]],
    ['new.ownerName = 1', ['Did you mean "ownerName"?']],
    ['other.name = 1', ['There is no row that other.name could belong to', 'Known: old, new']],
    ['name = ', ['SQL_SYNTAX']],
    ['name = 1 name', ['SQL_SYNTAX', 'The expression ends before this']],
    ['auth.user_id = 1', ['auth.user_id is a function', 'Write auth.user_id()']],
    ['uper(name)', ['There is no function uper', 'Did you mean upper?']],
    ["connection.parameter('x')", ['connection.parameter']],
    ['random()', ['random() is not allowed']],
    ['now(1)', ['now takes no arguments']],
    ['sum(name)', ['sum() is not allowed']],
  ])('%s is refused with place and fix', (text, parts) => {
    const [first = ''] = problems(text);
    for (const part of parts) expect(first).toContain(part);
  });

  it('explains a word that this rule does not have', () => {
    const inInsert = {
      ...scope,
      qualifiers: new Map([['new', 'new']]),
      missing: new Map([['old', 'An insert has no old row']]),
    };
    expect(problems('old.name = 1', inInsert)[0]).toContain('fix: An insert has no old row');
    const text = 'exists (select 1 from m where m.a = old.name)';
    expect(problems(text, inInsert)[0]).toContain('fix: An insert has no old row');
  });

  it('places problems in the YAML text', () => {
    const yaml = 'rules:\n  update: "owner_id = 1 and nme = 2"\n';
    const span = { start: yaml.indexOf('"'), end: yaml.lastIndexOf('"') + 1 };
    const place = { yaml, span, style: 'double' as const, inFlow: false };
    const { diagnostics } = compileExpression({ text: 'owner_id = 1 and nme = 2', place }, scope);
    expect(diagnostics.map(({ start, end }) => yaml.slice(start, end))).toEqual(['nme']);
  });
});

describe('an expression with a subquery', () => {
  it('is a text for a database, with the values of the request taken out', () => {
    const text =
      "exists (select 1 from members m where m.list_id = new.id and m.user_id = auth.user_id()) or auth.parameter('role') = 'admin' or name is null";
    expect(compiled(text).database).toEqual([
      'exists (select 1 from members m where m.list_id = new.id and m.user_id = ',
      { kind: 'user_id' },
      ') or ',
      { kind: 'claim', key: 'role' },
      " = 'admin' or name is null",
    ]);
    expect(compiled(text).reads).toEqual([
      { row: 'new', column: 'id' },
      { row: 'row', column: 'name' },
    ]);
  });

  it('checks the names outside of subqueries, and old and new everywhere', () => {
    expect(problems('nme in (select x from m)')[0]).toContain('Did you mean name?');
    expect(problems('exists (select 1 from m where m.x = new.nme)')[0]).toContain('nme');
    expect(compiled('exists (select 1 from m where nme = 1)').database).toHaveLength(1);
  });

  it.each([
    'new.id in (select list_id from members where user_id = auth.user_id())',
    '(select count(*) from items) < 100',
    'not exists (select 1 from a join b on a.x = b.x)',
    "coalesce((select m.role from members m where m.id = old.id), 'none') = any (array['a','b'])",
  ])('%s is one', (text) => {
    expect(compiled(text).database).toBeDefined();
  });
});
