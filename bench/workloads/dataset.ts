import type pg from 'pg';

/** Rows of about 200 bytes, each in two buckets: one of 1,000 owners and one of 50 regions. */
export const SYNC_CONFIG = `
config:
  edition: 2
bucket_definitions:
  by_owner:
    parameters: SELECT request.user_id() AS owner
    data:
      - SELECT * FROM items WHERE owner = bucket.owner
  by_region:
    parameters: SELECT region FROM visitors WHERE user_id = request.user_id()
    data:
      - SELECT * FROM items WHERE region = bucket.region
  large:
    parameters: SELECT request.jwt() ->> 'sub' AS reader WHERE request.user_id() = 'reader'
    data:
      - SELECT id, 'reader' AS reader, body FROM documents WHERE reader = bucket.reader
`;

export async function createTables(sql: pg.Client): Promise<void> {
  await sql.query(`
    CREATE TABLE items (
      id uuid PRIMARY KEY, owner text NOT NULL, region int4 NOT NULL, title text NOT NULL,
      done bool NOT NULL, changed_at timestamptz NOT NULL);
    CREATE TABLE visitors (id int4 PRIMARY KEY, user_id text NOT NULL, region int4 NOT NULL);
    CREATE TABLE documents (id uuid PRIMARY KEY, reader text NOT NULL, body text NOT NULL);
    CREATE PUBLICATION powersync FOR ALL TABLES;`);
}

export async function fillItems(sql: pg.Client, rows: number): Promise<void> {
  await sql.query(
    `INSERT INTO items SELECT gen_random_uuid(), 'owner-' || i % 1000, i % 50,
       'title ' || i || repeat(' lorem ipsum', 10), i % 2 = 0, now() FROM generate_series(1, $1::int) AS i`,
    [rows],
  );
}

/** Operations of about 534 bytes on the wire, all for the user \`reader\`. */
export async function fillDocuments(sql: pg.Client, rows: number): Promise<void> {
  await sql.query(
    `INSERT INTO documents SELECT gen_random_uuid(), 'reader', repeat(md5(i::text), 9)
     FROM generate_series(1, $1::int) AS i`,
    [rows],
  );
}
