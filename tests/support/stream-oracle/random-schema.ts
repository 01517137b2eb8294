import type { SeededRandom } from '@sluice/testing';

/**
 * Values come from small sets, so that joins and subqueries find something: every text may equal
 * every other text, a user's id included.
 */
export const USERS = ['u1', 'u2', 'u3'] as const;
const TEXTS = ['a', 'b', 'c', 'd', ...USERS] as const;
const INTS = [0, 1, 2, 3] as const;

type ColumnType = 'text' | 'int' | 'labels' | 'flag';

export interface RandomTable {
  readonly name: string;
  /** Besides `id`. */
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
}

const POSTGRES_TYPES = { text: 'text', int: 'int4', labels: 'jsonb', flag: 'boolean' } as const;
/** How the client holds a column, in PostgreSQL's SQL. */
const CLIENT_FORM = { text: '', int: '', labels: '::text', flag: '::int' } as const;

export function randomTables(random: SeededRandom): RandomTable[] {
  return Array.from({ length: 3 + random.int(2) }, (_, i) => ({
    name: `t${i}`,
    columns: [
      ...numbered('x', 2 + random.int(2), 'text'),
      ...numbered('n', 1 + random.int(2), 'int'),
      ...numbered('l', 1, 'labels'),
      ...numbered('f', 1, 'flag'),
    ],
  }));
}

function numbered(prefix: string, count: number, type: ColumnType) {
  return Array.from({ length: count }, (_, i) => ({ name: `${prefix}${i}`, type }));
}

export function createTable({ name, columns }: RandomTable): string {
  const list = columns.map((column) => `${column.name} ${POSTGRES_TYPES[column.type]}`);
  return `CREATE TABLE ${name} (id text PRIMARY KEY, ${list.join(', ')})`;
}

/** The columns of a client's row, in the order of the table, under the alias of the table. */
export function clientColumns({ columns }: RandomTable, alias: string): string {
  const list = columns.map(({ name, type }) => `${alias}.${name}${CLIENT_FORM[type]} AS ${name}`);
  return [`${alias}.id AS id`, ...list].join(', ');
}

export function randomText(random: SeededRandom): string {
  return random.pick(TEXTS);
}

export function randomInt(random: SeededRandom): number {
  return random.pick(INTS);
}

/** A literal of PostgreSQL; NULL now and then. */
function randomLiteral(random: SeededRandom, type: ColumnType): string {
  if (random.chance(0.15)) return 'NULL';
  if (type === 'int') return String(randomInt(random));
  if (type === 'flag') return String(random.chance(0.5));
  if (type === 'text') return `'${randomText(random)}'`;
  const labels = Array.from({ length: random.int(4) }, () => randomText(random));
  return `'${JSON.stringify(labels)}'`;
}

/** One random statement on one of the tables: rows come, change, get another key, and go. */
export function randomStatement(random: SeededRandom, tables: readonly RandomTable[]): string {
  const table = random.pick(tables);
  const id = `r${random.int(25)}`;
  const roll = random.next();
  if (roll < 0.4) return upsert(random, table, id);
  if (roll < 0.7) {
    const column = random.pick(table.columns);
    const value = randomLiteral(random, column.type);
    return `UPDATE ${table.name} SET ${column.name} = ${value} WHERE id >= '${id}'`;
  }
  if (roll < 0.8) return `UPDATE ${table.name} SET id = id || 'x' WHERE id = '${id}'`;
  if (roll < 0.98) return `DELETE FROM ${table.name} WHERE id = '${id}' OR length(id) > 4`;
  return `TRUNCATE ${table.name}`;
}

export function upsert(random: SeededRandom, table: RandomTable, id: string): string {
  const names = table.columns.map(({ name }) => name);
  const values = table.columns.map(({ type }) => randomLiteral(random, type));
  const updates = names.map((name) => `${name} = excluded.${name}`);
  return `INSERT INTO ${table.name} (id, ${names.join(', ')}) VALUES ('${id}', ${values.join(', ')})
    ON CONFLICT (id) DO UPDATE SET ${updates.join(', ')}`;
}
