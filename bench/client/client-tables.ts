import type { Client } from 'pg';

/** One row of `items` is about 260 bytes as JSON; a list has this many. */
export const ROWS_PER_LIST = 100;

export const ITEMS_SYNC_CONFIG = `
config:
  edition: 3
streams:
  all:
    auto_subscribe: true
    query: SELECT * FROM items
`;

export async function createItems(sql: Client, rows: number): Promise<void> {
  await sql.query(`
    CREATE TABLE items (
      id uuid PRIMARY KEY, list_id text NOT NULL, title text NOT NULL, note text NOT NULL,
      done int4 NOT NULL, score float8 NOT NULL);
    CREATE PUBLICATION powersync FOR ALL TABLES;`);
  await sql.query(
    `INSERT INTO items SELECT gen_random_uuid(), 'list-' || i / ${ROWS_PER_LIST}, 'A thing to do, number ' || i,
       repeat(md5(i::text), 3), i % 2, i / 3.0 FROM generate_series(0, $1::int - 1) AS i`,
    [rows],
  );
}
