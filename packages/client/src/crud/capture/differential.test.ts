import { openConnection } from '@sluice/client-node';
import { SeededRandom } from '@sluice/testing';
import { expect, test } from 'vitest';
import type { SqliteConnection } from '../../driver/contract.ts';
import { SqlError } from '../../errors.ts';
import type { CompiledIndex, CompiledTable } from '../../schema/compiled-schema.ts';
import { testDatabase } from '../../testing/database.ts';
import { tableOf } from '../../testing/tables.ts';
import { parseEntry } from '../entry-values.ts';
import type { CrudEntry } from '../crud-entry.ts';

/*
 * Random statements on ordinary tables of SQLite and on ours must do the same; and the queue, replayed onto the rows
 * from before, must give the rows from after, and the shadows those from before.
 */

const unique = (name: string, columns: readonly string[], where = ''): CompiledIndex => ({
  name,
  columns: columns.map((column) => ({ name: column, ascending: true })),
  unique: true,
  where,
});

const TABLES: readonly CompiledTable[] = [
  tableOf('plain', ['t TEXT', 'i INTEGER', 'r REAL', 'b BLOB']),
  tableOf('keyed', ['t TEXT COLLATE NOCASE', 'i INTEGER CHECK (i IS NOT 13)', 'r REAL', 'b BLOB'], {
    indexes: [unique('one', ['t']), unique('two', ['i', 'r'], 'i > 2')],
    trackPrevious: ['i', 't'],
    ignoreEmptyUpdates: true,
  }),
  tableOf(
    'child',
    ['t TEXT REFERENCES keyed ("id") ON DELETE CASCADE', 'i INTEGER', 'r REAL', 'b BLOB'],
    {
      trackMetadata: true,
    },
  ),
];

/** The same tables in plain SQLite. */
function plainTables(): SqliteConnection {
  const connection = openConnection(':memory:');
  for (const { name, columns, indexes } of TABLES) {
    const texts = columns.map((column) => `${column.name} ${column.type} ${column.constraint}`);
    connection.exec(
      `CREATE TABLE ${name} (id TEXT NOT NULL CHECK (typeof("id") = 'text'), ${texts.join(', ')})`,
    );
    connection.exec(`CREATE UNIQUE INDEX id_${name} ON ${name} (id)`);
    for (const index of indexes) {
      const list = index.columns.map((column) => column.name).join(', ');
      const where = index.where === '' ? '' : `WHERE ${index.where}`;
      connection.exec(`CREATE UNIQUE INDEX ${name}_${index.name} ON ${name} (${list}) ${where}`);
    }
  }
  return connection;
}

const VALUES = [
  'NULL',
  '0',
  '1',
  '2',
  '3',
  '13',
  '-1',
  '1.0',
  '2.5',
  '1e300',
  '9e999',
  '0.1',
  "'a'",
  "'A'",
  "'b'",
  "'c'",
  "'5'",
  "'x''\"\\/'",
  "'😀'",
  'char(1, 10)',
  "x'00ff'",
  '9223372036854775807',
];
const COLUMNS = ['t', 'i', 'r', 'b'];

function statement(random: SeededRandom): string {
  const { name } = random.pick(TABLES);
  const value = () => random.pick(VALUES);
  const id = () =>
    random.chance(0.02) ? random.pick(['NULL', "x'61'", '7']) : `'r${random.int(6)}'`;
  const row = () => `(${[id(), ...COLUMNS.map(value)].join(', ')})`;
  const set = () =>
    `${random.pick(COLUMNS)} = ${random.chance(0.3) ? random.pick(COLUMNS) : value()}`;
  const or = random.pick(['', '', '', 'OR IGNORE', 'OR REPLACE', 'OR FAIL', 'OR ABORT']);
  const where = random.pick([`id = ${id()}`, `i > ${random.int(3)}`, 't IS NULL', '1']);
  const rows = Array.from({ length: 1 + random.int(3) }, row).join(', ');
  const returning = random.chance(0.1) ? ' RETURNING id, i' : '';
  switch (random.int(8)) {
    case 0:
      return `DELETE FROM ${name} WHERE ${where}${returning}`;
    case 1:
    case 2:
      return `UPDATE ${or} ${name} SET ${set()}, ${set()} WHERE ${where}${returning}`;
    case 3:
      return `INSERT INTO ${name} (id, t, i, r, b) VALUES ${rows} ON CONFLICT (id) DO UPDATE SET i = excluded.i, t = excluded.t`;
    case 4:
      return `INSERT INTO ${name} (id, t, i, r, b) VALUES ${rows} ON CONFLICT DO NOTHING`;
    default:
      return `INSERT ${or} INTO ${name} (id, t, i, r, b) VALUES ${rows}${returning}`;
  }
}

/** What a statement gives: rows and their number, or the error's code. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof SqlError) return error.sqliteCode;
    throw error;
  }
}

function contents(connection: SqliteConnection): unknown {
  return TABLES.map(({ name }) =>
    connection.prepare(`SELECT id, t, i, r, b, typeof(b) FROM ${name} ORDER BY id`).all(),
  );
}

/** What a backend does with an entry (spec/client.md 6.1). */
function apply(backend: Map<string, Map<string, unknown>>, entry: CrudEntry): void {
  const key = `${entry.table}/${entry.id}`;
  if (entry.op === 'DELETE') backend.delete(key);
  if (entry.op === 'PUT') backend.set(key, new Map(Object.entries(entry.opData ?? {})));
  if (entry.op !== 'PATCH') return;
  const row = backend.get(key);
  for (const [name, value] of Object.entries(entry.opData ?? {})) {
    if (value === null) row?.delete(name);
    else row?.set(name, value);
  }
}

/** The rows as a backend would have them: no nulls, no infinite numbers, blobs as base64. */
function asBackend(connection: SqliteConnection): Map<string, Map<string, unknown>> {
  const rows = TABLES.flatMap(({ name }) =>
    connection
      .prepare(`SELECT id, t, i, r, b FROM ${name}`)
      .all()
      .map(([id, ...values]): [string, Map<string, unknown>] => {
        const known = COLUMNS.map((column, index) => [column, values[index]] as const);
        const finite = known.filter(
          ([, value]) => value !== null && Math.abs(Number(value)) !== Infinity,
        );
        return [
          `${name}/${String(id)}`,
          new Map(
            finite.map(([column, value]) => [
              column,
              value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
            ]),
          ),
        ];
      }),
  );
  return new Map(rows);
}

function withoutInfinite(
  rows: Map<string, Map<string, unknown>>,
): Map<string, Map<string, unknown>> {
  for (const row of rows.values()) {
    for (const [name, value] of row) if (value === null) row.delete(name);
  }
  return rows;
}

const DOWNLOADED = [
  `INSERT INTO plain VALUES ('r0', 'a', 1, 0.1, NULL), ('r1', NULL, 9007199254740993, 3, 'b')`,
  `INSERT INTO keyed VALUES ('r0', 'a', 1, 2.5, 5), ('r1', 'b', 3, 1e300, '5'), ('r2', 'c', 3, NULL, NULL)`,
  `INSERT INTO child (id, t, i, r, b) VALUES ('r0', 'r0', 1, 1, 1), ('r1', 'r1', 2, 2, NULL)`,
].join(';');

/** Puts the server's rows back, as publishing does when nothing newer came. */
function undoByShadows(connection: SqliteConnection): void {
  connection.exec('PRAGMA foreign_keys = 0; UPDATE sluice_guard SET applying = 1');
  for (const { name } of TABLES) {
    const type = `(SELECT id FROM sluice_type WHERE name = '${name}')`;
    const values = COLUMNS.map((column) => `data ->> '$.${column}'`).join(', ');
    connection.exec(`
      DELETE FROM ${name} WHERE id IN (SELECT id FROM sluice_shadow WHERE type = ${type});
      INSERT INTO ${name} (id, t, i, r, b) SELECT id, ${values} FROM sluice_shadow
        WHERE type = ${type} AND data IS NOT NULL`);
  }
}

const first = Number(process.env['SLUICE_SEED'] ?? 1);
const seeds = Number(process.env['SLUICE_SEEDS'] ?? 6);

test.each(Array.from({ length: seeds }, (_, index) => first + index))(
  'random statements do what they do on ordinary tables, and the queue tells it (seed %i)',
  (seed) => {
    const random = new SeededRandom(seed);
    const plain = plainTables();
    const ours = testDatabase(TABLES);
    plain.exec(DOWNLOADED);
    ours.connection.exec(
      `UPDATE sluice_guard SET applying = 1; ${DOWNLOADED}; UPDATE sluice_guard SET applying = 0`,
    );
    const downloaded = contents(plain);
    const backend = asBackend(ours.connection);
    let read = 0;
    for (let step = 0; step < 120; step++) {
      const sql = statement(random);
      const expected = outcome(() => {
        const prepared = plain.prepare(sql);
        return prepared.columns.length > 0 ? prepared.all() : prepared.run().changes;
      });
      // Outside a transaction ours keeps nothing of a statement that fails, OR FAIL or not.
      const inTransaction = sql.includes('OR FAIL') || random.chance(0.5);
      if (inTransaction) ours.session.begin();
      const got = outcome(() => {
        const { columns, rows, rowsAffected } = ours.session.execute(sql);
        return columns.length > 0 ? rows : rowsAffected;
      });
      if (inTransaction) ours.session.commit();
      expect(got, sql).toEqual(expected);
      expect(contents(ours.connection), sql).toEqual(contents(plain));
      const queued = ours.query(
        `SELECT id, tx_id, data FROM sluice_crud WHERE id > ${read} ORDER BY id`,
      );
      for (const [id, , data] of queued) {
        read = Number(id);
        apply(backend, parseEntry({ id: read, transactionId: 1, data: String(data) }));
      }
      expect(withoutInfinite(backend), sql).toEqual(asBackend(ours.connection));
    }
    expect(ours.query('SELECT open, armed FROM sluice_tx')).toEqual([[0, 0]]);
    undoByShadows(ours.connection);
    expect(contents(ours.connection)).toEqual(downloaded);
  },
);
