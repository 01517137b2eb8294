import { SeededRandom } from '@sluice/testing';
import { expect, test } from 'vitest';
import { normalizeParameters } from '../database/parameters.ts';
import type { SqlParameter } from '../driver/contract.ts';
import { testDatabase, type TestDatabase } from '../testing/database.ts';
import { tableOf } from '../testing/tables.ts';
import { isAffected } from './affected.ts';
import type { ChangeSet } from './change-set.ts';
import { StatementAnalyzer } from './statement-analyzer.ts';

const COLUMNS = ['name TEXT', 'size INTEGER', 'weight REAL', 'done INTEGER', 'data BLOB'];
const NAMES = COLUMNS.map((text) => text.split(' ')[0] ?? '');
/** One table whose entries tell values before a change, and one whose entries do not. */
const TABLES = [tableOf('items', COLUMNS, { trackPrevious: NAMES }), tableOf('plain', COLUMNS)];

/** As SQL literals, so that each is what it looks like. */
const VALUES = [
  ['NULL', '0', '1', '5', '-1', '10', '0.5', '5.0', '-0.0', '1e1', '9e999', '-9e999'],
  ['9007199254740993', '9223372036854775807', '9007199254740992.0', '1e300', 'TRUE'],
  [`''`, `'abc'`, `'ABC'`, `'abcd'`, `'open'`, `'5'`, `'05'`, `'5.0'`, `' 5'`, `'1e1'`, `'x y'`],
  [`'é'`, `'\u{ffff}'`, `'\u{1f600}'`, `'Inf'`, `'2026-11-25'`, `x'01'`, `x'616263'`],
].flat();
const PARAMETERS = [
  [null, 0, 1, 5, -1, 10, 0.5, -0, Infinity, NaN, 2 ** 53, 9007199254740993n, 2n ** 63n - 1n],
  [true, false, '', 'abc', 'ABC', 'open', '5', '5.0', ' 5', '1e1', 'é', '\u{ffff}', '\u{1f600}'],
  ['2026-11-25', '\ud83d', new Uint8Array([1])],
].flat();

interface LiveSample {
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
  result: string;
}

/** Writes of every kind to queries of every kind; whatever changes a result has to be found to affect it. */
class Differential {
  readonly #random: SeededRandom;
  readonly #database: TestDatabase = testDatabase(TABLES);
  readonly #analyzer = new StatementAnalyzer(this.#database.connection);
  #live: LiveSample[] = [];
  readonly missed: string[] = [];
  readonly counts = { filtered: 0, byTable: 0, byColumn: 0, runs: 0, changed: 0 };

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  newQueries(count: number): void {
    this.#live = Array.from({ length: count }, () => this.#query());
    const filtered = this.#live.filter(({ sql }) => this.#analyzer.reads(sql).filter !== undefined);
    this.counts.filtered += filtered.length;
  }

  write(): void {
    const { session } = this.#database;
    const statements = this.#random.chance(0.2) ? 1 + this.#random.int(3) : 1;
    session.begin();
    const written: string[] = [];
    for (let at = 0; at < statements; at++) written.push(this.#writeOnce());
    this.#compare(session.commit(), written.join('; '));
  }

  #writeOnce(): string {
    const parameters: unknown[] = [];
    const sql = this.#statement(parameters);
    this.#database.session.execute(sql, parameters);
    return `${sql} ${parameters.map(String).join(' ; ')}`;
  }

  #compare(changes: ChangeSet, written: string): void {
    for (const live of this.#live) {
      const { sql, parameters } = live;
      const reads = this.#analyzer.reads(sql);
      const affected = isAffected(reads, parameters, changes);
      if ([...changes.keys()].some((name) => sql.includes(name))) this.counts.byTable += 1;
      if (isAffected({ ...reads, filter: undefined }, parameters, changes))
        this.counts.byColumn += 1;
      if (affected) this.counts.runs += 1;
      const result = this.#run(sql, parameters);
      if (result === live.result) continue;
      this.counts.changed += 1;
      live.result = result;
      if (!affected)
        this.missed.push(`${written}  |  ${sql}  |  ${parameters.map(String).join(' ; ')}`);
    }
  }

  #query(): LiveSample {
    const parameters: unknown[] = [];
    const table = this.#random.pick(['items', 'plain']);
    const terms = Array.from({ length: 1 + this.#random.int(3) }, () => this.#term(parameters));
    const shape = this.#random.pick([
      `SELECT id, name FROM ${table} WHERE ? ORDER BY id`,
      `SELECT count(*) FROM ${table} WHERE ?`,
      `SELECT * FROM ${table} t WHERE ? ORDER BY size, id LIMIT 3`,
      `SELECT name, total(size) FROM ${table} AS t WHERE ? GROUP BY name`,
      `SELECT hex(data), weight FROM "${table}" WHERE (?)`,
    ]);
    const join = this.#random.chance(0.15) ? ' OR ' : ' AND ';
    const sql = shape.replace('?', () => terms.join(join));
    const values = normalizeParameters(parameters);
    return { sql, parameters: values, result: this.#run(sql, values) };
  }

  #term(parameters: unknown[]): string {
    const random = this.#random;
    const column = random.pick(['id', ...NAMES, ...NAMES]);
    const value = () => {
      if (random.chance(0.5)) return random.pick(VALUES.filter((text) => text !== '-9e999'));
      parameters.push(random.chance(0.2) ? `i${random.int(12)}` : random.pick(PARAMETERS));
      return '?';
    };
    const operator = random.pick(['=', '==', '<>', '!=', '<', '<=', '>', '>=', 'IS', 'IS NOT']);
    // Operands in the order in which they stand, as parameters are counted.
    const forms: readonly (() => string)[] = [
      () => `${column} ${operator} ${value()}`,
      () => `${column} ${operator} ${value()}`,
      () => `${value()} ${operator} ${column}`,
      () => `${column} IN (${value()}, ${value()})`,
      () => `${column} NOT IN (${value()})`,
      () => `${column} BETWEEN ${value()} AND ${value()}`,
      () => `${column} NOT BETWEEN ${value()} AND ${value()}`,
      () => `${column} IS NULL`,
      () => `${column} NOT NULL`,
      () => `(${column} = ${value()} AND ${random.pick(NAMES)} >= ${value()})`,
      () => `(${column} = ${value()} OR ${random.pick(NAMES)} < ${value()})`,
      () => `NOT ${column} = ${value()}`,
      () => `lower(${column}) = ${value()}`,
      () => `${column} = ${value()} COLLATE NOCASE`,
      () => `+${column} > ${value()}`,
      () => `${column} = ${random.pick(NAMES)}`,
    ];
    return random.pick(forms)();
  }

  #statement(parameters: unknown[]): string {
    const random = this.#random;
    const table = random.pick(['items', 'plain']);
    // Few texts, as SQLite compiles each with all triggers: literals only now and then.
    const literals = random.chance(0.1);
    const bound = (value: unknown) => {
      parameters.push(value);
      return '?';
    };
    const id = () => bound(`i${random.int(12)}`);
    const value = () => (literals ? random.pick(VALUES) : bound(random.pick(PARAMETERS)));
    const row = () => [id(), ...NAMES.map(value)].join();
    const column = random.pick(NAMES);
    const other = random.pick(NAMES.filter((name) => name !== column));
    const columns = ['id', ...NAMES].join();
    const forms: readonly (() => string)[] = [
      () => `INSERT OR REPLACE INTO ${table} (${columns}) VALUES (${row()})`,
      () => `INSERT OR IGNORE INTO ${table} (${columns}) VALUES (${row()})`,
      () =>
        `INSERT INTO ${table} (${columns}) VALUES (${row()}) ON CONFLICT (id) DO UPDATE SET ${column} = excluded.${column}`,
      () => `INSERT OR IGNORE INTO ${table} (id, ${column}) VALUES (${id()}, ${value()})`,
      () => `UPDATE ${table} SET ${column} = ${value()} WHERE id = ${id()}`,
      () => `UPDATE ${table} SET ${column} = ${value()}, ${other} = ${value()} WHERE id = ${id()}`,
      () => `UPDATE ${table} SET ${column} = ${value()} WHERE ${other} = ${value()}`,
      () => `DELETE FROM ${table} WHERE id = ${id()}`,
    ];
    return random.pick(forms)();
  }

  #run(sql: string, parameters: readonly SqlParameter[]): string {
    const rows = this.#database.connection.prepare(sql).all(parameters);
    return JSON.stringify(rows, (_, value: unknown) =>
      typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))
        ? `${typeof value} ${String(value)}`
        : value,
    );
  }
}

test('10,000 random writes never change a result without being found to affect it', () => {
  const random = new SeededRandom(Number(process.env['SEED'] ?? 20261125));
  const differential = new Differential(random);
  for (let write = 0; write < 10_000; write++) {
    if (write % 100 === 0) differential.newQueries(8);
    differential.write();
  }
  expect(differential.missed, `seed ${random.seed}`).toEqual([]);
  const { filtered, byTable, byColumn, runs, changed } = differential.counts;
  expect(filtered).toBeGreaterThan(350);
  expect(changed).toBeGreaterThan(2000);
  // Columns save some of the runs that the table alone would cause, and conditions some of those.
  expect(byColumn).toBeLessThan(byTable * 0.95);
  expect(runs).toBeLessThan(byColumn * 0.9);
}, 120_000);

test.each([
  { trackPrevious: ['list_id'], mostRuns: 1 },
  { trackPrevious: [], mostRuns: 20 },
])(
  'of 20 watched lists, a write runs those that it concerns if previous values are told: $trackPrevious',
  ({ trackPrevious, mostRuns }) => {
    const random = new SeededRandom(11);
    const { connection, session } = testDatabase([
      tableOf('tasks', ['list_id TEXT', 'title TEXT'], { trackPrevious }),
    ]);
    const analyzer = new StatementAnalyzer(connection);
    const sql = 'SELECT id, title FROM tasks WHERE list_id = ? ORDER BY title';
    const runsOf = (changes: ChangeSet | undefined) =>
      Array.from({ length: 20 }, (_, list) => `list ${list}`).filter((list) =>
        isAffected(analyzer.reads(sql), [list], changes ?? new Map()),
      ).length;
    const runs = { insert: 0, update: 0, delete: 0 };
    for (let at = 0; at < 100; at++) {
      const write = (text: string, values: readonly unknown[]) =>
        runsOf(session.execute(text, values).committed);
      const insert = 'INSERT INTO tasks (id, list_id, title) VALUES (?, ?, ?)';
      runs.insert += write(insert, [`t${at}`, `list ${random.int(20)}`, 'new']);
      runs.update += write('UPDATE tasks SET title = ? WHERE id = ?', ['changed', `t${at}`]);
      if (at % 2 === 0) runs.delete += write('DELETE FROM tasks WHERE id = ?', [`t${at}`]);
    }
    expect(runs).toEqual({ insert: 100, update: 100 * mostRuns, delete: 50 * mostRuns });
  },
);
