import { SeededRandom } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RequestHandler } from './http/router.ts';
import type { StepBundle } from './pipeline/table-steps.ts';
import { FaultyDatabase } from './testing/faulty-database.ts';
import { post, results, WriteApiWorld, type Result } from './testing/write-api-world.ts';

/** Counts how often each row was written, which a repeated PUT would otherwise not show. */
const SCHEMA = `
CREATE TABLE items (id text PRIMARY KEY, value int CHECK (value < 100));
CREATE TABLE ruled (id text PRIMARY KEY, value int CHECK (value < 100));
CREATE TABLE written (id text PRIMARY KEY, times int);
CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO written VALUES (NEW.id, 1) ON CONFLICT (id) DO UPDATE SET times = written.times + 1;
  RETURN NEW; END $$;
CREATE TRIGGER counted AFTER INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION count_write();
CREATE TRIGGER counted AFTER INSERT OR UPDATE ON ruled FOR EACH ROW EXECUTE FUNCTION count_write();
`;

/** Steps that change nothing, so that entries go the long way. */
const LOOK: StepBundle = { steps: [(write) => write], needsStored: () => true };
const stepsOf = (table: string) => (table === 'ruled' ? { bundles: [LOOK] } : undefined);

let world: WriteApiWorld;
let api: RequestHandler;

beforeAll(async () => {
  world = await WriteApiWorld.start({}, 8);
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.reset(SCHEMA);
  api = world.api({ stepsOf });
});

const entry = (seq: number, changes: object = {}) => ({
  seq,
  tx: Math.ceil(seq / 2),
  op: 'PUT',
  table: 'items',
  id: `i${seq}`,
  data: { value: seq },
  ...changes,
});
const upload = (seqs: readonly number[], changes: (seq: number) => object = () => ({})) => ({
  clientId: 'c1',
  sdk: 'test',
  entries: seqs.map((seq) => entry(seq, changes(seq))),
});
const statuses = (answers: readonly Result[]) => answers.map(({ status }) => status);
const timesWritten = async () =>
  new Set(
    (await world.rows('SELECT DISTINCT times FROM written')).map(
      (row) => (row as { times: number }).times,
    ),
  );

describe.each([
  { title: 'without rules', times: 200, tableOf: () => 'items' },
  { title: 'with rules', times: 200, tableOf: () => 'ruled' },
  {
    title: 'with and without',
    times: 1000,
    tableOf: (seq: number) => (seq % 4 < 2 ? 'items' : 'ruled'),
  },
])('tables $title', ({ times, tableOf }) => {
  const body = (seqs: readonly number[]) =>
    upload(seqs, (seq) => ({
      table: tableOf(seq),
      // 3 and 6 are refused.
      ...(seq % 3 === 0 ? { data: { value: 100 + seq } } : {}),
    }));

  test(`the same upload ${times} times at random, with requests and answers lost and connections killed, is applied once`, async () => {
    const seed = 20_261_125;
    const random = new SeededRandom(seed);
    const faulty = new FaultyDatabase(world.pool, random, 0.02);
    const handler = world.api({ stepsOf, database: faulty });
    const client = new pg.Client({ connectionString: world.scratch.server.url() });
    await client.connect();
    const answers: (readonly Result[])[] = [];
    let failed = 0;
    let sent = 0;
    const sendOne = async () => {
      while (sent < times) {
        sent += 1;
        const response = await post(handler, body([1, 2, 3, 4, 5, 6, 7]));
        if (response.status === 200)
          answers.push(((await response.json()) as { results: Result[] }).results);
        else failed += 1;
        if (random.chance(0.01)) {
          await client.query(
            'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() LIMIT 1',
          );
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, sendOne));
    await client.end();

    expect(failed, `seed ${seed}`).toBeGreaterThan(0);
    expect(faulty.lostAnswers).toBeGreaterThan(1);
    const meant = (result: Result) => [
      result.seq,
      result.status === 'duplicate' ? 'ok' : result.status,
      result.code,
    ];
    const [first] = answers;
    expect(first?.map(meant)).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((seq) =>
        seq % 3 === 0 ? [seq, 'rejected', 'UPLOAD_CONSTRAINT'] : [seq, 'ok', undefined],
      ),
    );
    for (const answer of answers) expect(answer.map(meant)).toEqual(first?.map(meant));
    expect(
      answers.filter((answer) => answer.some(({ status }) => status === 'ok')).length,
    ).toBeLessThanOrEqual(7);
    expect(await world.rows('SELECT id, times FROM written ORDER BY id')).toEqual(
      ['i1', 'i2', 'i4', 'i5', 'i7'].map((id) => ({ id, times: 1 })),
    );
    expect(
      await world.rows(
        'SELECT row_id, count(*)::int AS times FROM sluice_rejected_writes GROUP BY 1 ORDER BY 1',
      ),
    ).toEqual(['i3', 'i6'].map((row_id) => ({ row_id, times: 1 })));
  });

  test('uploads that overlap apply what is new, and tell the rest what became of it', async () => {
    expect(statuses(await results(api, body([1, 2, 3, 4])))).toEqual([
      'ok',
      'ok',
      'rejected',
      'ok',
    ]);
    const second = await results(api, body([2, 3, 4, 5, 6, 7]));
    expect(statuses(second)).toEqual([
      'duplicate',
      'rejected',
      'duplicate',
      'ok',
      'rejected',
      'ok',
    ]);
    expect(second.map(({ duplicate }) => duplicate)).toEqual([
      undefined,
      true,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(second[1]).toMatchObject({ seq: 3, code: 'UPLOAD_CONSTRAINT', sqlstate: '23514' });
    expect(await timesWritten()).toEqual(new Set([1]));
  });

  test('an entry twice in one upload is applied once', async () => {
    const { entries } = body([1, 2]);
    const answer = await results(api, { clientId: 'c1', entries: [...entries, ...entries] });
    expect(statuses(answer)).toEqual(['ok', 'ok', 'duplicate', 'duplicate']);
    expect(await timesWritten()).toEqual(new Set([1]));
  });
});

test('random pieces of a queue, sent in any order and again, are applied once', async () => {
  const random = new SeededRandom(7);
  const tableOf = (seq: number) => ({ table: seq % 5 === 0 ? 'ruled' : 'items' });
  const pieces = Array.from({ length: 120 }, () => {
    const from = 1 + random.int(60);
    return Array.from({ length: 1 + random.int(20) }, (_, n) => from + n);
  });
  const all = new Set(pieces.flat());
  await Promise.all(
    Array.from({ length: 6 }, async (_, worker) => {
      for (const [at, piece] of pieces.entries()) {
        if (at % 6 !== worker) continue;
        await results(
          api,
          upload(piece, (seq) => ({ ...tableOf(seq), data: { value: 1 } })),
        );
      }
    }),
  );
  expect(await timesWritten()).toEqual(new Set([1]));
  expect(await world.rows('SELECT count(*)::int AS n FROM written')).toEqual([{ n: all.size }]);
});

test('the same number with other contents is another write: a client that was set back loses nothing', async () => {
  await results(api, upload([1]));
  expect(
    statuses(
      await results(
        api,
        upload([1], () => ({ data: { value: 50 } })),
      ),
    ),
  ).toEqual(['ok']);
  expect(await world.rows('SELECT value FROM items')).toEqual([{ value: 50 }]);
});

test('clients and users do not get into each other’s way', async () => {
  await results(api, upload([1]));
  const others = [
    await results(api, { ...upload([1]), clientId: 'c2' }),
    await results(world.api({ userId: 'u2' }), upload([1])),
  ];
  expect(others.map(statuses)).toEqual([['ok'], ['ok']]);
});

test('the client may name itself in a header; without a name its entries are applied again', async () => {
  const { clientId, ...nameless } = upload([1]);
  const send = async (headers: Record<string, string>) =>
    ((await (await post(api, nameless, headers)).json()) as { results: Result[] }).results[0]
      ?.status;
  expect([await send({}), await send({})]).toEqual(['ok', 'ok']);
  expect([
    await send({ 'x-client-id': clientId }),
    await send({ 'x-client-id': clientId }),
  ]).toEqual(['ok', 'duplicate']);
  expect(await timesWritten()).toEqual(new Set([3]));
});

test('entries without numbers are known by their transaction and their place in it', async () => {
  const numberless = {
    clientId: 'c1',
    entries: upload([1, 2, 3]).entries.map((each) => ({ ...each, seq: undefined })),
  };
  expect(statuses(await results(api, numberless))).toEqual(['ok', 'ok', 'ok']);
  expect(statuses(await results(api, numberless))).toEqual(['duplicate', 'duplicate', 'duplicate']);
});

test('what was seen is forgotten after the days configured, and no sooner', async () => {
  const clock = { nowMs: Date.now(), now: () => clock.nowMs, sleep: async () => undefined };
  const handler = world.api({ clock, config: { remember_uploads_days: 30 } });
  await results(handler, upload([1, 2]));
  await world.pool.query(
    `UPDATE sluice.uploads SET uploaded_at = now() - interval '29 days' WHERE seq = 1`,
  );
  await world.pool.query(
    `UPDATE sluice.uploads SET uploaded_at = now() - interval '31 days' WHERE seq = 2`,
  );
  clock.nowMs += 3_600_001;
  await results(handler, upload([3]));
  await expect
    .poll(() => world.rows('SELECT seq::int FROM sluice.uploads ORDER BY seq'))
    .toEqual([{ seq: 1 }, { seq: 3 }]);
});

test('the table of what was seen is made again when it is gone', async () => {
  await results(api, upload([1]));
  await world.pool.query('DROP SCHEMA sluice CASCADE');
  const response = await post(api, upload([2]));
  if (response.status !== 200) expect(response.status).toBe(503);
  expect(statuses(await results(api, upload([2])))[0]).toMatch(/ok|duplicate/);
  expect(statuses(await results(api, upload([2])))).toEqual(['duplicate']);
});
