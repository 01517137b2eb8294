import type pg from 'pg';
import type { SeededRandom } from '@sluice/testing';

/**
 * A small application for end-to-end tests: users share lists through memberships, keep private
 * notes (large ones, so that PostgreSQL stores values out of line), and all see a catalog.
 */
export const USERS = ['ann', 'bob', 'cid'] as const;

export const SCHEMA_SQL = `
  CREATE TABLE lists (id uuid PRIMARY KEY, name text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE members (id uuid PRIMARY KEY, list_id uuid NOT NULL, user_id text NOT NULL);
  CREATE TABLE todos (
    id uuid PRIMARY KEY, list_id uuid NOT NULL, title text NOT NULL, done boolean NOT NULL DEFAULT false,
    qty int8, price numeric(10,2), ratio float8, tags text[], meta jsonb);
  CREATE TABLE notes (id text PRIMARY KEY, owner_id text NOT NULL, body text NOT NULL, stars int4 NOT NULL DEFAULT 0);
  CREATE TABLE "Catalog" (sku text, region text, name text, PRIMARY KEY (sku, region));
  CREATE TABLE log_lines (line text, user_id text);
  ALTER TABLE log_lines REPLICA IDENTITY FULL;
  CREATE PUBLICATION powersync FOR ALL TABLES;`;

/** The same access rules in both dialects. */
export const BUCKET_DEFINITIONS = `
config:
  edition: 2
bucket_definitions:
  mine:
    priority: 1
    parameters: SELECT request.user_id() AS user_id
    data:
      - SELECT * FROM notes WHERE owner_id = bucket.user_id
      - SELECT line AS id, line, user_id FROM log_lines WHERE user_id = bucket.user_id
  shared:
    parameters: SELECT list_id FROM members WHERE user_id = request.user_id()
    data:
      - SELECT * FROM lists WHERE id = bucket.list_id
      - SELECT * FROM todos WHERE list_id = bucket.list_id
  everyone:
    data:
      - SELECT sku || '/' || region AS id, sku, region, name FROM "Catalog" AS catalog
`;

export const STREAMS = `
config:
  edition: 3
with:
  my_lists: SELECT list_id FROM members WHERE user_id = auth.user_id()
streams:
  mine:
    auto_subscribe: true
    priority: 1
    queries:
      - SELECT * FROM notes WHERE owner_id = auth.user_id()
      - SELECT line AS id, line, user_id FROM log_lines WHERE user_id = auth.user_id()
  shared:
    auto_subscribe: true
    queries:
      - SELECT * FROM lists WHERE id IN my_lists
      - SELECT * FROM todos WHERE list_id IN my_lists
  everyone:
    auto_subscribe: true
    query: SELECT sku || '/' || region AS id, sku, region, name FROM "Catalog" AS catalog
`;

/** For each client table: the rows that a user is entitled to, as the client should hold them. */
export const ENTITLED: Readonly<Record<string, string>> = {
  notes: `SELECT id, owner_id, body, stars FROM notes WHERE owner_id = $1`,
  log_lines: `SELECT DISTINCT line AS id, line, user_id FROM log_lines WHERE user_id = $1`,
  lists: `SELECT id::text, name FROM lists WHERE id IN (SELECT list_id FROM members WHERE user_id = $1)`,
  todos: `SELECT id::text, list_id::text, title, done::int AS done, qty::text AS qty, price::text AS price, ratio,
      to_json(tags)::text AS tags, meta::text AS meta
    FROM todos WHERE list_id IN (SELECT list_id FROM members WHERE user_id = $1)`,
  catalog: `SELECT sku || '/' || region AS id, sku, region, name FROM "Catalog" WHERE $1 <> ''`,
};

/** The same rows as the client's tables hold them. */
export const CLIENT_QUERIES: Readonly<Record<string, string>> = {
  notes: 'SELECT id, owner_id, body, stars FROM notes',
  log_lines: 'SELECT id, line, user_id FROM log_lines',
  lists: 'SELECT id, name FROM lists',
  todos:
    'SELECT id, list_id, title, done, CAST(qty AS TEXT) AS qty, price, ratio, tags, meta FROM todos',
  catalog: 'SELECT id, sku, region, name FROM catalog',
};

/** Random transactions over the sample world; the ids in use are read from the database. */
export class RandomWrites {
  readonly #random: SeededRandom;
  readonly #client: pg.Client;
  #counter = 0;

  constructor(client: pg.Client, random: SeededRandom) {
    this.#client = client;
    this.#random = random;
  }

  async seed(): Promise<void> {
    for (let i = 0; i < 300; i += 1) await this.#write();
  }

  /** One transaction of one to eight row changes; some are rolled back. Returns the changes made. */
  async transaction(): Promise<number> {
    const changes = 1 + this.#random.int(8);
    await this.#client.query('BEGIN');
    for (let i = 0; i < changes; i += 1) await this.#write();
    await this.#client.query(this.#random.chance(0.05) ? 'ROLLBACK' : 'COMMIT');
    return changes;
  }

  async #write(): Promise<void> {
    const random = this.#random;
    const roll = random.next();
    if (roll < 0.3) return this.#insert();
    if (roll < 0.65) return this.#update();
    if (roll < 0.85) return this.#delete();
    if (roll < 0.97) return this.#changeKey();
    return random.chance(0.1) ? this.#truncate() : this.#insert();
  }

  async #run(sql: string, values: unknown[] = []): Promise<void> {
    await this.#client.query(sql, values);
  }

  #text(): string {
    this.#counter += 1;
    const long = this.#random.chance(0.1);
    const filler = long ? Array.from({ length: 300 }, () => this.#random.uuid()).join('') : '';
    return `text ${this.#counter} "quoted" \\ é 🙂 ${filler}`;
  }

  async #insert(): Promise<void> {
    const random = this.#random;
    const user = random.pick(USERS);
    const aList = '(SELECT id FROM lists ORDER BY md5(id::text || $1) LIMIT 1)';
    switch (random.int(7)) {
      case 0:
        return this.#run('INSERT INTO lists (id, name) VALUES ($1, $2)', [
          random.uuid(),
          this.#text(),
        ]);
      case 1:
        return this.#run(
          `INSERT INTO members (id, list_id, user_id) SELECT $2, l, $3 FROM ${aList} AS pick(l)`,
          [String(random.int(1e6)), random.uuid(), user],
        );
      case 2:
        return this.#run('INSERT INTO notes (id, owner_id, body) VALUES ($1, $2, $3)', [
          random.uuid(),
          user,
          this.#text(),
        ]);
      case 3:
        return this.#run(
          `INSERT INTO "Catalog" VALUES ($1, $2, $3) ON CONFLICT (sku, region) DO UPDATE SET name = excluded.name`,
          [`sku-${random.int(200)}`, random.pick(['eu', 'us']), this.#text()],
        );
      case 4:
        return this.#run('INSERT INTO log_lines VALUES ($1, $2)', [`line ${random.int(60)}`, user]);
      default:
        return this.#run(
          `INSERT INTO todos (id, list_id, title, done, qty, price, ratio, tags, meta)
           SELECT $2, l, $3, $4, $5, $6, $7, $8, $9 FROM ${aList} AS pick(l)`,
          [
            String(random.int(1e6)),
            random.uuid(),
            this.#text(),
            random.chance(0.5),
            random.chance(0.2) ? '9007199254740993' : String(random.int(1000) - 500),
            random.chance(0.3) ? null : (random.int(100_000) / 100).toFixed(2),
            random.chance(0.3) ? null : random.next() * 1000,
            random.chance(0.3) ? null : ['a"b', 'c,d', String(random.int(9))],
            random.chance(0.3) ? null : JSON.stringify({ n: random.int(9), t: 'x"y' }),
          ],
        );
    }
  }

  /** A WHERE clause that picks about one row by the hash of its key. */
  #one(key: string, table: string): string {
    const salt = this.#random.int(1e6);
    return `WHERE ${key} = (SELECT ${key} FROM ${table} ORDER BY md5((${key})::text || '${salt}') LIMIT 1)`;
  }

  async #update(): Promise<void> {
    const random = this.#random;
    switch (random.int(6)) {
      case 0:
        return this.#run(`UPDATE lists SET name = $1 ${this.#one('id', 'lists')}`, [this.#text()]);
      case 1:
        return this.#run(`UPDATE members SET user_id = $1 ${this.#one('id', 'members')}`, [
          random.pick(USERS),
        ]);
      case 2: // leaves a large body out of the change log
        return this.#run(`UPDATE notes SET stars = stars + 1 ${this.#one('id', 'notes')}`);
      case 3:
        return this.#run(`UPDATE notes SET owner_id = $1 ${this.#one('id', 'notes')}`, [
          random.pick(USERS),
        ]);
      case 4:
        return this.#run(`UPDATE log_lines SET user_id = $1 ${this.#one('ctid', 'log_lines')}`, [
          random.pick(USERS),
        ]);
      default:
        return this.#run(
          `UPDATE todos SET title = $1, done = NOT done, qty = qty + 1 ${this.#one('id', 'todos')}`,
          [this.#text()],
        );
    }
  }

  async #delete(): Promise<void> {
    const table = this.#random.pick(['members', 'todos', 'todos', 'notes', 'log_lines', 'lists']);
    const key = table === 'log_lines' ? 'ctid' : 'id';
    return this.#run(`DELETE FROM ${table} ${this.#one(key, table)}`);
  }

  async #changeKey(): Promise<void> {
    const table = this.#random.pick(['todos', 'notes', 'members']);
    return this.#run(`UPDATE ${table} SET id = $1 ${this.#one('id', table)}`, [
      this.#random.uuid(),
    ]);
  }

  async #truncate(): Promise<void> {
    return this.#run(
      this.#random.pick(['TRUNCATE notes', 'TRUNCATE log_lines', 'TRUNCATE "Catalog", notes']),
    );
  }
}
