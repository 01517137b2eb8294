import { SeededRandom } from '@sluice/testing';
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from './contract.ts';
import { compile, definition, stream } from './testing/check.ts';

// Mistakes that people make: what is said, where, and what is offered.

const column = (name: string, sqliteType: 'text' | 'integer' = 'text') => ({
  name, sqliteType, sourceType: sqliteType,
}); // prettier-ignore
const table = (name: string, columns: readonly string[], schema = 'public') => ({
  schema, name, columns: columns.map((c) => column(c)),
}); // prettier-ignore
const SCHEMA = [
  table('lists', ['id', 'name', 'owner_id', 'createdAt', 'status']),
  table('todos', ['id', 'list_id', 'title', 'userId']),
  table('members', ['id', 'list_id', 'user_id']),
  table('categories', ['id']),
  table('UserProfiles', ['id', 'displayName']),
  table('log_2031', ['id', 'level']),
  table('invoices', ['id', 'total'], 'billing'),
];

function said(yaml: string): readonly string[] {
  return compile(yaml, SCHEMA).diagnostics.map(
    ({ start, end, fix }) => `${yaml.slice(start, end)} -> ${fix ?? ''}`,
  );
}

function afterEdit(yaml: string, { edit }: Diagnostic): string {
  return edit === undefined ? yaml : yaml.slice(0, edit.start) + edit.text + yaml.slice(edit.end);
}

/** Applies all edits, the last one first, as an editor's "fix all" does. */
function fixed(yaml: string): string {
  const { diagnostics } = compile(yaml, SCHEMA);
  return diagnostics.toReversed().reduce(afterEdit, yaml);
}

describe('names that the source does not have', () => {
  it.each([
    ['SELECT * FROM lists WHERE onwer_id = 1', ['onwer_id -> Did you mean owner_id?']],
    ['SELECT * FROM list', ['list -> Did you mean lists?']],
    ['SELECT * FROM category', ['category -> Did you mean categories?']],
    ['SELECT * FROM invoices', ['invoices -> Did you mean billing.invoices?']],
    ['SELECT * FROM biling.invoices', ['biling.invoices -> Did you mean billing.invoices?']],
    [
      'SELECT * FROM UserProfiles',
      ['UserProfiles -> Write "UserProfiles": names with capitals need double quotes'],
    ],
    [
      'SELECT * FROM todos WHERE userId = 1',
      ['userId -> Write "userId": names with capitals need double quotes'],
    ],
    ['SELECT * FROM todos WHERE user_id = 1', ['user_id -> Did you mean "userId"?']],
    ['SELECT * FROM lists WHERE status = "open"', [`"open" -> Write 'open' if it is a text`]],
    ['SELECT * FROM "logs_%"', ['"logs_%" -> Did you mean "log_%"?']],
    ['SELECT * FROM "log_%" WHERE lvl = 1', ['lvl -> Known: id, level']],
    ['SELECT * FROM "log_%" WHERE levle = 1', ['levle -> Did you mean level?']],
    [
      'SELECT todos.* FROM todos, lists WHERE list_id = lists.id',
      ['list_id -> Write todos.list_id'],
    ],
    [
      'SELECT * FROM lists WHERE xyzzy = 1',
      ['xyzzy -> Known: id, name, owner_id, createdAt, status'],
    ],
  ])('%s: %j', (sql, expected) => {
    expect(said(stream(sql))).toEqual(expected);
  });

  it('are not looked for in a table that does not exist', () => {
    expect(said(stream('SELECT a, b AS id FROM lits WHERE c = 1'))).toHaveLength(1);
  });

  it('and lost capitals are one problem, not two', () => {
    expect(said(definition('SELECT * FROM todos WHERE userId = 1'))).toHaveLength(1);
  });
});

describe('SQL of other systems', () => {
  it.each([
    ["status IN ('a', 'b')", "ARRAY['a', 'b']"],
    ["name LIKE 'abc%'", "substring(name, 1, 3) = 'abc'"],
    ["name LIKE '%abc'", "substring(name, -3) = 'abc'"],
    ["name NOT ILIKE '%abc%'", "instr(lower(name), lower('abc')) = 0"],
    ["name LIKE 'abc'", "name = 'abc'"],
    [
      'EXISTS (SELECT 1 FROM members m WHERE m.list_id = lists.id AND m.user_id = auth.user_id())',
      'lists.id IN (SELECT m.list_id FROM members m WHERE m.user_id = auth.user_id())',
    ],
    ['id = (SELECT list_id FROM members WHERE user_id = auth.user_id())', 'IN'],
    ["id = ANY(auth.parameter('ids'))", "IN auth.parameter('ids')"],
    ['owner_id = auth.uid()', 'auth.user_id'],
    ['owner_id = auth.user_id', 'auth.user_id()'],
    ['owner_id = current_user', 'auth.user_id()'],
    ['owner_id = request.user_id()', 'auth.user_id'],
    ['owner_id = token_parameters.user_id', 'auth.user_id()'],
    ['owner_id = user_parameters.x AND id = auth.user_id()', "connection.parameter('x')"],
    ['owner_id = auth.parameter(org)', "'org'"],
    ['owner_id = auth.parameter("org")', "'org'"],
    ['owner_id = auth.parameters() ->> "org"', "'org'"],
    ['owner_id == auth.user_id()', '='],
    ["`owner_id` = '1'", '"owner_id"'],
    ['coalesce(name, status) = auth.user_id()', 'ifnull'],
    ["name::varchar = '1'", 'text'],
    ["name = DATE '2031-07-08'", "'2031-07-08'"],
  ])('WHERE %s: offers %s', (condition, text) => {
    const yaml = stream(`SELECT * FROM lists WHERE ${condition}`);
    const [found, ...others] = compile(yaml, SCHEMA).diagnostics;
    expect(others).toEqual([]);
    expect(found?.edit?.text).toBe(text);
    const after = fixed(yaml);
    expect(compile(after, SCHEMA).diagnostics).toEqual([]);
  });

  it.each([
    ['SELECT COUNT(*) AS n, id FROM lists', ['COUNT']],
    ['SELECT * FROM lists ORDER BY name LIMIT 10', ['ORDER', 'LIMIT']],
    ['SELECT * FROM lists WHERE name > now()', ['now']],
    ["SELECT * FROM lists WHERE name > now() - interval '7 days'", ["now() - interval '7 days'"]],
    ["SELECT * FROM lists WHERE name > datetime('now', '-7 days')", ["'now'"]],
    ['SELECT * FROM lists WHERE name > CURRENT_DATE', ['CURRENT_DATE']],
    ['SELECT lists.* FROM lists LEFT JOIN members ON lists.id = members.list_id', ['LEFT']],
    [
      'SELECT * FROM lists WHERE NOT EXISTS (SELECT 1 FROM members)',
      ['EXISTS (SELECT 1 FROM members)'],
    ],
    [
      'SELECT * FROM lists WHERE id NOT IN (SELECT list_id FROM members)',
      ['id NOT IN (SELECT list_id FROM members)'],
    ],
    ['SELECT * FROM lists WHERE owner_id = $1', ['$']],
    ['SELECT * FROM lists WHERE owner_id = bucket.x', ['bucket']],
  ])('%s: one problem for each, and what to do', (sql, places) => {
    const yaml = stream(sql);
    const { diagnostics } = compile(yaml, SCHEMA);
    expect(diagnostics.map(({ start, end }) => yaml.slice(start, end))).toEqual(places);
    expect(diagnostics.every(({ fix }) => fix !== undefined)).toBe(true);
  });

  it('is answered in the words of bucket definitions there', () => {
    const parameters = (sql: string) => definition('SELECT * FROM lists WHERE id = bucket.x', sql);
    expect(said(parameters('SELECT auth.user_id() AS x'))).toEqual([
      'auth.user_id -> Use request.user_id()',
    ]);
    expect(said(parameters('SELECT request.user_id AS x'))).toEqual([
      'request -> Write request.user_id()',
    ]);
    expect(said(definition("SELECT * FROM lists WHERE status IN ('a', 'b''c')"))).toEqual([
      `('a', 'b''c') -> Write '["a","b''c"]'`,
    ]);
    expect(said(definition('SELECT * FROM lists WHERE name BETWEEN 1 AND 2'))).toEqual([
      'name BETWEEN 1 AND 2 -> Write (name >= 1 AND name <= 2)',
    ]);
    expect(
      said(definition('SELECT * FROM lists WHERE id = bucket.lst', 'SELECT list_id AS list FROM members WHERE user_id = request.user_id()')),
    ).toEqual(['bucket.lst -> Did you mean bucket.list?']); // prettier-ignore
  });
});

describe('a mistake hides no other, and brings no further ones', () => {
  it.each([
    ['SELECT * FORM lists WERE owner_id = 1', ['FORM', 'WERE']],
    ['SELEC * FROM lits', ['SELEC', 'lits']],
    ['SELECT id name title FROM todos WHERE uper(x) = 1', ['title', 'uper', 'x']],
    ['SELECT id, FROM todos', [',']],
    ['SELECT * FROM lists WHERE (owner_id = 1 AND nam = 2', ['(', 'nam']],
    ['SELECT * FROM lists WHERE owner_id = 1) AND name = 2', [')']],
    ['SELECT * FROM lists WHERE AND name = 1 OR = 3 OR uper(id) = 2', ['AND', '=', 'uper']],
    ['SELECT id, order FROM lists WHERE user = 1', ['order', 'user']],
    ["SELECT * FROM lists WHERE name = 'x AND id = 2", ["'x AND id = 2"]],
    ['SELECT uper(a) AS b, x.c FROM WHERE id = lover(1)', ['uper', 'WHERE', 'lover']],
    ['SELECT l.* FROM lists WHERE l.owner_id = 1 AND l.id = 2', ['l']],
    ['SELECT lists.* FROM lists l', ['lists']],
    ['SELECT * FROM log_%', ['log_%']],
    ['SELECT * FROM lists WHERE id = 1 WHERE name = 2', ['WHERE']],
    ['SELECT upper( AS x, uper(id) AS id FROM lists', ['AS', 'uper']],
    ['SELECT lists.* FROM lists JOIN members USING (id)', ['USING']],
  ])('%s: %j', (sql, places) => {
    const yaml = stream(sql);
    const { diagnostics } = compile(yaml, SCHEMA);
    expect(diagnostics.map(({ start, end }) => yaml.slice(start, end))).toEqual(places);
  });
});

describe('mistakes in the YAML', () => {
  const config = 'config:\n  edition: 3\n';

  it.each([
    ['config:\n\tedition: 3\nstreams:\n\ta:\n\t\tquery: SELECT * FROM lits\n', ['\t', '\t', '\t\t', 'lits']],
    [`${config}streams\n  a:\n    query: SELECT * FROM lits\n`, ['streams', 'lits']],
    [`${config}streams:\n  a\n    query: SELECT * FROM lits\n`, ['a', 'lits']],
    ['config:\n  edition 3\nstreams:\n  a:\n    query: SELECT * FROM lits\n', ['edition', 'lits']],
    ['config:\n  edition:3\nstreams:\n  a:\n    query: SELECT * FROM lits\n', ['edition', 'lits']],
    [`${config}streams:\n  a:\n    query: SELECT * FROM lists WHERE name = 'a: b' AND nmae = 1\n`, [': ', 'nmae']],
    [`${config}streams:\n  a:\n    query: SELECT * FROM lists WHERE name = 'a # b'\n`, ["'a"]],
    [`${config}streams:\n  z:\n    query: SELECT * FROM lits\n  a:\n    query: "SELECT 1\n  b:\n    query: x\n`, ['lits', '"']],
    [`${config}streams:\n  a:\n    querry: SELECT * FROM lits\n    auto_subscribe: yes\n`, ['querry', 'lits', 'yes']],
    ['streams:\n  a:\n    queries: [SELECT * FROM lits]\n', ['streams', 'lits']],
    ['config: { edition: "3" }\nstreams:\n  a:\n    query: SELECT * FROM lits\n', ['"3"', 'lits']],
    [`${config}streams:\n  a: SELECT * FROM lits\n`, ['SELECT * FROM lits']],
    [`${config}streams:\n  a:\n    query: SELECT * FROM lists\n    query: SELECT * FROM lits\n`, ['query', 'lits']],
    [`${config}---\nstreams: {}\n`, ['---']],
  ])('%j: points at %j', (yaml, places) => {
    const { diagnostics } = compile(yaml, SCHEMA);
    expect(diagnostics.map(({ start, end }) => yaml.slice(start, end))).toEqual(places);
  }); // prettier-ignore

  it.each([
    ['config:\n\tedition: 3\nstreams:\n\ta:\n\t\tquery: SELECT * FROM lits\n'],
    [`${config}streams\n  a\n    query: SELECT * FROM lits\n`],
    ['config:\n  edition 3\nstreams:\n  a:\n    query: SELECT * FROM lits\n'],
    [`${config}streams:\n  a:\n    query: SELECT * FROM lists WHERE name = 'a: b'\n`],
    [`${config}streams:\n  a:\n    querry: SELECT * FROM lits\n    auto_subscribe: yes\n`],
    ['streams:\n  a:\n    queries: [SELECT * FROM lits]\n'],
    ['config: { fixed_json_extract: true }\nstreams:\n  a:\n    query: SELECT * FROM lits\n'],
    ['config:\n  fixed_json_extract: true\nstreams:\n  a:\n    query: SELECT * FROM lits\n'],
  ])('%j is valid after all its edits', (yaml) => {
    expect(compile(fixed(yaml), SCHEMA).diagnostics).toEqual([]);
  });

  it.each([
    ['plain', `query: SELECT * FROM lists WHERE status IN ('a','b')`],
    ['single', `query: 'SELECT * FROM lists WHERE status IN (''a'',''b'')'`],
    ['double', `query: "SELECT * FROM lists WHERE status IN ('a','b') AND userName = 1"`],
    ['literal', `query: |\n      SELECT * FROM lists\n       WHERE status IN ('a','b')`],
    ['folded', `query: >-\n      SELECT * FROM lists\n      WHERE status IN ('a','b')`],
  ])('edits are written as a %s scalar demands', (_, query) => {
    const yaml = `${config}streams:\n  a:\n    ${query}\n`;
    const codes = compile(fixed(yaml)).diagnostics.map(({ code }) => code);
    expect(codes).toEqual([]);
  });
});

describe('whatever is written', () => {
  const seed = 20_261_125;
  const good = [
    stream('SELECT todos.*, upper(title) AS t FROM todos JOIN lists l ON l.id = todos.list_id WHERE l.owner_id = auth.user_id() AND NOT (title IS NULL OR title IN ARRAY[\'a\'])'),
    definition('SELECT id, title AS t FROM todos WHERE list_id = bucket.l', 'SELECT list_id AS l FROM members WHERE user_id = request.user_id()'),
    `config: { edition: 3 }\nwith:\n  mine: SELECT list_id FROM members WHERE user_id = auth.user_id()\nstreams:\n  a:\n    queries:\n      - SELECT * FROM lists WHERE id IN mine\n      - "SELECT id FROM todos WHERE list_id IN mine"\n`,
  ]; // prettier-ignore
  const PARTS = [
    '(',
    ')',
    ',',
    "'",
    '"',
    '\n',
    ': ',
    '\t',
    ' AND ',
    ' FROM ',
    'SELECT ',
    '- ',
    '#',
    '`',
    '%',
    ' x',
  ];

  it('no damage to a file throws or gives a place or an edit outside of it', () => {
    const random = new SeededRandom(seed);
    for (let n = 0; n < 400; n++) {
      let yaml = random.pick(good);
      for (let m = 0; m <= random.int(3); m++) {
        const at = random.int(yaml.length);
        const cut = random.chance(0.5) ? random.int(8) : 0;
        yaml =
          yaml.slice(0, at) + (random.chance(0.6) ? random.pick(PARTS) : '') + yaml.slice(at + cut);
      }
      for (const found of compile(yaml, SCHEMA).diagnostics) {
        for (const { start, end } of [found, found.edit ?? found]) {
          const isInside = 0 <= start && start <= end && end <= yaml.length;
          expect({ seed, yaml, start, end, isInside }).toMatchObject({ isInside: true });
        }
        expect(found.message).not.toBe('');
      }
    }
  });
});
