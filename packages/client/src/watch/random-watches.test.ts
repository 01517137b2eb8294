import { FakeClock, SeededRandom, settle } from '@sluice/testing';
import { expect, test } from 'vitest';
import { normalizeParameters } from '../database/parameters.ts';
import { WatchedDatabase } from '../testing/watched-database.ts';
import { LiveQueries } from './live-queries.ts';

const QUERIES = [
  'SELECT id, title FROM tasks ORDER BY id',
  'SELECT id, title FROM tasks WHERE done = 0 ORDER BY title, id',
  'SELECT id FROM tasks WHERE done IN (1, 2) AND title >= ? ORDER BY id DESC LIMIT 3',
  `SELECT id FROM tasks WHERE title IS NULL OR done = 1 ORDER BY id`,
  'SELECT count(*) AS n FROM tasks',
  'SELECT l.id, l.name, count(t.id) AS n FROM lists l LEFT JOIN tasks t ON t.title = l.name GROUP BY l.id',
  'SELECT id, name FROM lists WHERE id IN (SELECT id FROM tasks WHERE done = 1)',
];

interface Watcher {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** JSON of the last rows, and how often there were any. */
  readonly seen: { last: string; count: number };
  readonly stop: () => void;
}

/** Watches of every form come and go while rows change and runs are slow. */
class RandomWatches {
  readonly #random: SeededRandom;
  readonly #clock = new FakeClock();
  readonly #database = new WatchedDatabase();
  readonly #errors: unknown[] = [];
  readonly #live = new LiveQueries(this.#database, {
    clock: this.#clock,
    onListenerError: (error) => this.#errors.push(error),
  });
  #watchers: Watcher[] = [];
  readonly #stopped: { readonly watcher: Watcher; readonly count: number }[] = [];
  writes = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#database.lasting(() =>
      random.chance(0.5) ? Promise.resolve() : this.#clock.sleep(random.int(90)),
    );
  }

  get runs(): number {
    return this.#database.runs.length;
  }

  async step(): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.6) this.#write();
    else if (dice < 0.7) this.#watchers.push(this.#start());
    else if (dice < 0.77) this.#stopOne();
    else if (dice < 0.8) this.#database.tell({ kind: 'schema' });
    else await this.#clock.advance(this.#random.int(60));
    if (this.#random.chance(0.2)) await settle();
  }

  /** When nothing more happens, every watcher has seen what its query gives now, and those that stopped nothing more. */
  async checkWhenQuiet(): Promise<void> {
    await this.#clock.advance(20_000);
    const { connection } = this.#database.database;
    for (const { sql, parameters, seen } of this.#watchers) {
      const { columns } = connection.prepare(sql);
      const rows = connection.prepare(sql).all(normalizeParameters(parameters));
      const objects = rows.map((row) =>
        Object.fromEntries(columns.map((name, at) => [name, row[at]])),
      );
      expect(seen.last, sql).toBe(JSON.stringify(objects));
    }
    for (const { watcher, count } of this.#stopped) expect(watcher.seen.count).toBe(count);
    expect(this.#errors).toEqual([]);
  }

  async end(): Promise<void> {
    while (this.#watchers.length > 0) this.#stopOne();
    await this.checkWhenQuiet();
    expect([this.#live.executionCount, this.#database.listenerCount]).toEqual([0, 0]);
  }

  #write(): void {
    const random = this.#random;
    const id = `t${random.int(6)}`;
    const value = random.pick([null, 'a', 'b', 'c', 'A', '1']);
    const done = random.pick([null, 0, 1, 2]);
    const writes: readonly (readonly [string, ...unknown[]])[] = [
      ['INSERT OR REPLACE INTO tasks (id, title, done) VALUES (?, ?, ?)', id, value, done],
      ['UPDATE tasks SET title = ? WHERE id = ?', value, id],
      ['UPDATE tasks SET done = ? WHERE done = ?', done, 1],
      ['DELETE FROM tasks WHERE id = ?', id],
      ['INSERT OR REPLACE INTO lists (id, name) VALUES (?, ?)', id, value],
      ['DELETE FROM lists WHERE name = ?', value],
    ];
    const [sql, ...parameters] = random.pick(writes);
    this.#database.write(sql, parameters);
    this.writes += 1;
  }

  #start(): Watcher {
    const sql = this.#random.pick(QUERIES);
    const parameters = sql.includes('?') ? [this.#random.pick(['a', 'b', 1])] : [];
    const seen = { last: '', count: 0 };
    const take = (rows: readonly unknown[]) => {
      seen.last = JSON.stringify(rows);
      seen.count += 1;
    };
    const forms = [
      () => this.#handler(sql, parameters, take),
      () => this.#iteration(sql, parameters, take),
      () => this.#query(sql, parameters, take),
      () => this.#diff(sql, parameters, take),
    ];
    const stop = this.#random.pick(forms)();
    return { sql, parameters, seen, stop };
  }

  #handler(sql: string, parameters: readonly unknown[], take: Take): () => void {
    const stop = new AbortController();
    const slow = this.#random.chance(0.5) ? this.#random.int(80) : undefined;
    const onResult = ({ array }: { readonly array: readonly unknown[] }) => {
      take(array);
      return slow === undefined ? undefined : this.#clock.sleep(slow);
    };
    const throttleMs = this.#random.pick([0, 30, 100]);
    this.#live.watch(sql, parameters, { onResult }, { signal: stop.signal, throttleMs });
    return () => stop.abort();
  }

  #iteration(sql: string, parameters: readonly unknown[], take: Take): () => void {
    const results = this.#live.watch(sql, parameters);
    let stopped = false;
    const loop = async () => {
      for await (const { array } of results) {
        // It may have been on its way.
        if (!stopped) take(array);
        await this.#clock.sleep(this.#random.int(50));
      }
    };
    void loop();
    return () => {
      stopped = true;
      void results.return?.();
    };
  }

  #query(sql: string, parameters: readonly unknown[], take: Take): () => void {
    const query = this.#live.query({ sql, parameters }).watch();
    query.registerListener({ onData: take });
    return () => query.close();
  }

  #diff(sql: string, parameters: readonly unknown[], take: Take): () => void {
    const query = this.#live.query({ sql, parameters }).differentialWatch({
      rowComparator: { keyBy: (row) => JSON.stringify(row), compareBy: () => '' },
    });
    query.registerListener({ onData: take });
    return () => query.close();
  }

  #stopOne(): void {
    const [watcher] = this.#watchers.splice(this.#random.int(this.#watchers.length), 1);
    if (watcher === undefined) return;
    watcher.stop();
    this.#stopped.push({ watcher, count: watcher.seen.count });
  }
}

type Take = (rows: readonly unknown[]) => void;

test('whatever comes and goes, after quiet every watcher has the result of its query', async () => {
  const random = new SeededRandom(Number(process.env['SEED'] ?? 1125));
  const watches = new RandomWatches(random);
  for (let round = 0; round < 40; round++) {
    for (let step = 0; step < 40; step++) await watches.step();
    await watches.checkWhenQuiet();
  }
  await watches.end();
  expect(watches.writes, `seed ${random.seed}`).toBeGreaterThan(500);
}, 120_000);
