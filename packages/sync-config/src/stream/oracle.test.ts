import Database from 'better-sqlite3';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, it } from 'vitest';
import { compile, planOf, stream, visibleRows, type Row } from '../testing/check.ts';

// SQLite answers the same question directly: which rows does the query select for this user?
// For edition 3, conditions are built so that its deviations from SQLite (NOT, != with NULL) do not show.

const CLAIMS = { sub: 'u1', ids: ['l1', 'l3', 'l9'], role: 'admin', level: 2, digits: '1' };
const USERS = ['u1', 'u2', null];
const LISTS = ['l1', 'l2', 'l3', null];

const TABLES = {
  items: ['id', 'list_id', 'owner', 'level', 'readers'],
  lists: ['id', 'owner', 'org'],
  members: ['id', 'user_id', 'org', 'level'],
} as const;

/** A condition in our language and in SQLite's. */
type Condition = readonly [ours: string, theirs: string];

const SUB = ['auth.user_id()', `'u1'`] as const;
const IDS = [`auth.parameter('ids')`, `(SELECT value FROM json_each('["l1","l3","l9"]'))`] as const;

const ATOMS: readonly Condition[] = [
  [`items.owner = ${SUB[0]}`, `items.owner = ${SUB[1]}`],
  [`items.list_id IN ${IDS[0]}`, `items.list_id IN ${IDS[1]}`],
  [`items.level > 1`, `items.level > 1`],
  [`items.owner IS NULL`, `items.owner IS NULL`],
  [`items.level = auth.parameter('level')`, `items.level = 2`],
  [`auth.parameter('role') = 'admin'`, `1`],
  [`auth.parameter('role') = 'guest'`, `0`],
  [`'l3' IN ${IDS[0]}`, `1`],
  [`${SUB[0]} IN items.readers`, `${SUB[1]} IN (SELECT value FROM json_each(items.readers))`],
  [
    `items.list_id IN (SELECT id FROM lists WHERE owner = ${SUB[0]})`,
    `items.list_id IN (SELECT id FROM lists WHERE owner = ${SUB[1]})`,
  ],
  [
    `items.list_id IN (SELECT l.id FROM lists l JOIN members m ON m.org = l.org WHERE m.user_id = ${SUB[0]} AND m.level > 0)`,
    `items.list_id IN (SELECT l.id FROM lists l JOIN members m ON m.org = l.org WHERE m.user_id = ${SUB[1]} AND m.level > 0)`,
  ],
  [
    `items.list_id IN (SELECT id FROM lists WHERE org IN (SELECT org FROM members WHERE user_id = ${SUB[0]}) OR owner = ${SUB[0]})`,
    `items.list_id IN (SELECT id FROM lists WHERE org IN (SELECT org FROM members WHERE user_id = ${SUB[1]}) OR owner = ${SUB[1]})`,
  ],
  [
    `${SUB[0]} IN (SELECT user_id FROM members WHERE level = 1)`,
    `${SUB[1]} IN (SELECT user_id FROM members WHERE level = 1)`,
  ],
  [`items.level IN (SELECT level FROM members)`, `items.level IN (SELECT level FROM members)`],
];

/** What means the same only in edition 4. */
const ATOMS_OF_EDITION_4: readonly Condition[] = [
  ['NOT items.level = 2', 'NOT items.level = 2'],
  ['items.owner != items.list_id', 'items.owner != items.list_id'],
  ['NOT (items.owner IS NULL OR items.level > 1)', 'NOT (items.owner IS NULL OR items.level > 1)'],
  ['items.level NOT IN (1, 3)', 'items.level NOT IN (1, 3)'],
  ['items.level NOT IN (1, items.owner)', 'items.level NOT IN (1, items.owner)'],
  [`items.owner IN ('u2', ${SUB[0]})`, `items.owner IN ('u2', ${SUB[1]})`],
  [`${SUB[0]} IN (items.owner, items.list_id)`, `${SUB[1]} IN (items.owner, items.list_id)`],
  [`CAST(items.level AS TEXT) = auth.parameter('level')`, `CAST(items.level AS TEXT) = 2`],
  [`items.level = CAST(auth.parameter('digits') AS INTEGER)`, `items.level = CAST('1' AS INTEGER)`],
  [
    'items.level IN (SELECT CAST(level AS TEXT) FROM members)',
    'items.level IN (SELECT CAST(level AS TEXT) FROM members)',
  ],
  [
    'items.level IN (SELECT CAST(level AS INTEGER) FROM members)',
    'items.level IN (SELECT CAST(level AS INTEGER) FROM members)',
  ],
  ["items.readers LIKE '%U1%'", "items.readers LIKE '%U1%'"],
  ["items.owner COLLATE NOCASE = 'U1'", "items.owner COLLATE NOCASE = 'U1'"],
];

describe.each([3, 4])('the rows that a client sees in edition %i', (edition) => {
  const atoms = edition === 4 ? [...ATOMS, ...ATOMS_OF_EDITION_4] : ATOMS;

  it('are those that the query selects in SQLite', async () => {
    const seed = 20_261_121;
    const random = new SeededRandom(seed);
    for (let round = 0; round < 60; round++) {
      const rows = randomRows(random);
      const [ours, theirs] = randomCondition(random, 3, atoms);
      const yaml = stream(`SELECT items.* FROM items WHERE ${ours}`, edition);
      if (compile(yaml).diagnostics.some(({ code }) => code === 'TOO_MANY_TERMS')) continue;
      const visible = await visibleRows(planOf(yaml), {
        claims: CLAIMS,
        rows,
        maxResults: 100_000,
      });
      expect({ seed, round, ours, visible }).toEqual({
        seed,
        round,
        ours,
        visible: inSqlite(theirs, rows),
      });
    }
  });
});

type Rows = Readonly<Record<keyof typeof TABLES, readonly Row[]>>;

function randomRows(random: SeededRandom): Rows {
  const list = (length: number, build: (i: number) => Row) =>
    Array.from({ length }, (_, i) => build(i));
  const level = () => random.pick([0n, 1n, 2n, 2, 3n, null]);
  return {
    items: list(25, (i) => ({
      id: `i${i}`,
      list_id: random.pick(LISTS),
      owner: random.pick(USERS),
      level: level(),
      readers: random.pick(['["u1"]', '["u2","u1"]', '[]', '["u2"]', null]),
    })),
    lists: list(3, (i) => ({
      id: `l${i + 1}`,
      owner: random.pick(USERS),
      org: random.pick(['a', 'b', null]),
    })),
    members: list(3, (i) => ({
      id: `m${i}`,
      user_id: random.pick(USERS),
      org: random.pick(['a', 'b', 'c', null]),
      level: level(),
    })),
  };
}

function randomCondition(
  random: SeededRandom,
  depth: number,
  atoms: readonly Condition[],
): Condition {
  if (depth === 0 || random.int(4) === 0) return random.pick(atoms);
  const part = () => randomCondition(random, depth - 1, atoms);
  const [a, b] = [part(), part()];
  const operator = random.int(2) === 0 ? 'AND' : 'OR';
  return [`(${a[0]} ${operator} ${b[0]})`, `(${a[1]} ${operator} ${b[1]})`];
}

function inSqlite(condition: string, rows: Rows): string[] {
  const database = new Database(':memory:');
  try {
    for (const [table, columns] of Object.entries(TABLES)) {
      database.exec(`CREATE TABLE ${table} (${columns.join(', ')})`);
      const insert = database.prepare(
        `INSERT INTO ${table} VALUES (${columns.map(() => '?').join(', ')})`,
      );
      for (const row of rows[table as keyof Rows]) insert.run(...Object.values(row));
    }
    const selected = database.prepare(`SELECT id FROM items WHERE ${condition}`).all();
    return (selected as { id: string }[]).map(({ id }) => `items/${id}`).toSorted();
  } finally {
    database.close();
  }
}
