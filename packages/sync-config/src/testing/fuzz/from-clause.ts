import type { Category, Generator } from './generator.ts';
import { COLUMNS } from './rows.ts';
import { renderSql, type Reader } from './sql-tree.ts';

/** What stands behind FROM, for each reader. */
export type FromClause = Readonly<Record<Reader, string>>;

export const TABLE: FromClause = { ours: 't1', sqlite: 't1' };

const IN_JSON = / IN (?!\(|ARRAY)/;

/**
 * The table by way of a subquery whose columns are expressions, so that what a comparison derives
 * from them (affinity above all) passes through a name. COLLATE and IN on JSON are refused in such
 * columns.
 */
export function derivedTable(generator: Generator, categories: readonly Category[]): FromClause {
  const columns = COLUMNS.map((name) => {
    const made = generator.random.chance(0.4)
      ? generator.random.pick(categories).generate(generator)
      : undefined;
    const isColumn = made !== undefined && !IN_JSON.test(renderSql(made, 'ours'));
    return (reader: Reader) => (isColumn ? `${renderSql(made, reader)} AS ${name}` : name);
  });
  const text = (reader: Reader) => {
    const list = columns.map((column) => column(reader)).join(', ');
    return `(SELECT ${list}, rowid AS rowid FROM t1) AS t1`;
  };
  return { ours: text('ours'), sqlite: text('sqlite') };
}
