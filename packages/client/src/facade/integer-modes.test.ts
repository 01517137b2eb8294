import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SeededRandom } from '@sluice/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatEntry } from '../crud/entry-values.ts';
import type { SqlValue } from '../driver/contract.ts';
import type { IntegerMode } from '../driver/integer-mode.ts';
import { ClientError } from '../errors.ts';
import { column } from '../schema/column.ts';
import { Schema } from '../schema/schema.ts';
import { Table } from '../schema/table.ts';
import { APP_DATABASES } from '../testing/app-databases.ts';
import type { SluiceDatabase } from './sluice-database.ts';

const TABLES = {
  counts: new Table({ n: column.integer, r: column.real }, { trackPrevious: true }),
};
const ALL = 'SELECT n, r FROM counts ORDER BY id';
const MODES: readonly IntegerMode[] = ['auto', 'number', 'bigint'];
const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);

/** What the specification says of each mode, in words of its own. */
function expected(mode: IntegerMode, value: bigint): SqlValue {
  if (mode === 'bigint') return value;
  const isSafe = value >= -(2n ** 53n) + 1n && value <= 2n ** 53n - 1n;
  return mode === 'number' || isSafe ? Number(value) : value;
}

/** At and around 0, 2^53 and 2^63, and anywhere between. */
function randomIntegers(random: SeededRandom, count: number): readonly bigint[] {
  const borders = [0n, 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 31n, 2n ** 62n];
  return Array.from({ length: count }, () => {
    const near = random.pick(borders) + BigInt(random.int(7) - 3);
    const anywhere = BigInt(random.int(2 ** 32)) * BigInt(random.int(2 ** 31));
    return BigInt.asIntN(64, random.chance(0.7) ? near : anywhere);
  });
}

describe.each(APP_DATABASES)('integers $name', (kind) => {
  let dir: string;
  let db: SluiceDatabase | undefined;

  beforeEach(() => void (dir = mkdtempSync(path.join(tmpdir(), 'sluice-integers-'))));
  afterEach(async () => {
    await db?.close();
    db = undefined;
    rmSync(dir, { recursive: true });
  });

  async function open(integerMode?: IntegerMode): Promise<SluiceDatabase> {
    const problems: unknown[] = [];
    db = await kind.open({
      file: path.join(dir, 'app.sqlite'),
      schema: new Schema(TABLES, { integerMode }),
      fetch: () => Promise.reject(new Error('offline')),
      onProblem: (problem) => problems.push(problem),
    });
    return db;
  }

  test.each(MODES)(
    'of %s come out of every read, write and watch so, and reals as reals',
    async (mode) => {
      const opened = await open(mode);
      const values = randomIntegers(new SeededRandom(seed), 40);
      const rows = values.map((value) => ({ n: expected(mode, value), r: 3 }));
      const numbered = values.map((value, at) => [`k${1000 + at}`, value]);
      const watched = opened.watch(ALL, [], { throttleMs: 0 });
      await watched.next();

      await opened.executeBatch('INSERT INTO counts (id, n, r) VALUES (?, ?, 3)', numbered);
      expect(await opened.getAll(ALL), `seed ${seed}`).toEqual(rows);
      expect((await opened.execute(ALL)).array).toEqual(rows);
      expect((await opened.executeRaw(ALL)).rows).toEqual(rows.map(({ n, r }) => [n, r]));
      expect((await watched.next()).value?.array).toEqual(rows);
      await opened.readTransaction(async (tx) => expect(await tx.getAll(ALL)).toEqual(rows));
      await opened.writeTransaction(async (tx) => {
        expect(await tx.getAll(ALL)).toEqual(rows);
        await tx.savepoint(async (inner) => {
          const { array } = await inner.execute('UPDATE counts SET r = 4 RETURNING n');
          expect(array).toEqual(rows.map(({ n }) => ({ n })));
        });
      });
    },
  );

  test.each(MODES)('of %s are told of a row that was inserted', async (mode) => {
    const opened = await open(mode);
    await opened.execute('CREATE TABLE numbered (n INTEGER PRIMARY KEY)');
    for (const value of [7n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
      for (const sql of [
        'INSERT INTO numbered VALUES (?)',
        'REPLACE INTO numbered VALUES (?) RETURNING 1',
      ]) {
        const { insertId, rowsAffected } = await opened.execute(sql, [value]);
        expect([insertId, rowsAffected]).toEqual([expected(mode, value), 1]);
      }
    }
  });

  test.each(MODES)('with %s, what waits for upload has all its digits', async (mode) => {
    const opened = await open(mode);
    const values = randomIntegers(new SeededRandom(seed + 1), 20);
    // An upload must not change what was written, so nothing is rounded there.
    const inEntries = (value: bigint) => expected(mode === 'number' ? 'auto' : mode, value);
    for (const [at, value] of values.entries()) {
      await opened.execute('INSERT INTO counts (id, n, r) VALUES (?, ?, 3)', [
        `k${1000 + at}`,
        value,
      ]);
    }
    await opened.execute('UPDATE counts SET n = 1');
    const batch = await opened.getCrudBatch(1000);
    const [puts, patches] = [batch?.crud.slice(0, values.length), batch?.crud.slice(values.length)];
    expect(
      puts?.map(({ opData }) => opData),
      `seed ${seed}`,
    ).toEqual(values.map((value) => ({ n: inEntries(value), r: 3 })));
    expect(patches?.map(({ previousValues }) => previousValues?.['n'])).toEqual(
      values.filter((value) => value !== 1n).map(inEntries),
    );
    for (const [at, entry] of puts?.entries() ?? []) {
      expect(formatEntry(entry)).toContain(`"data":{"n":${values[at]},`);
    }
    expect((await opened.getNextCrudTransaction())?.crud[0]).toEqual(puts?.[0]);
    await batch?.settle(
      batch.crud.map(({ clientId }) => [clientId, { kind: 'reject', reason: 'no' }]),
    );
    const letters = await opened.deadLetters.list({ limit: 1000 });
    expect(letters.map(({ entry }) => entry).toReversed()).toEqual(batch?.crud);
  });

  test('of bigint are the same rows to a differential watch, or others, by their value', async () => {
    const opened = await open('bigint');
    await opened.execute(`INSERT INTO counts (id, n, r) VALUES ('a', 1, 1), ('b', 2, 2)`);
    const query = opened.query<{ id: string; n: bigint }>({
      sql: 'SELECT id, n FROM counts ORDER BY id',
    });
    const watched = query.differentialWatch({ throttleMs: 0 });
    const next = () =>
      new Promise<{
        all: readonly unknown[];
        unchanged: readonly unknown[];
        updated: readonly unknown[];
      }>((resolve) => watched.registerListener({ onDiff: resolve }));
    const first = await next();
    expect(first.all).toEqual([
      { id: 'a', n: 1n },
      { id: 'b', n: 2n },
    ]);
    const second = next();
    await opened.execute(`UPDATE counts SET n = ? WHERE id = 'b'`, [2n ** 63n - 1n]);
    expect((await second).updated).toEqual([
      { previous: { id: 'b', n: 2n }, current: { id: 'b', n: 2n ** 63n - 1n } },
    ]);
    expect((await second).unchanged[0]).toBe(first.all[0]);
    watched.close();
  });

  test('stay as the database was opened with', async () => {
    const opened = await open('bigint');
    const other = opened.updateSchema(new Schema(TABLES));
    await expect(other).rejects.toMatchObject({ code: 'PARAMETER' });
    await expect(other).rejects.toBeInstanceOf(ClientError);
    await opened.updateSchema(new Schema(TABLES, { integerMode: 'bigint' }));
    await opened.execute(`INSERT INTO counts (id, n) VALUES ('a', 1)`);
    expect(await opened.get('SELECT n FROM counts')).toEqual({ n: 1n });
  });
});
