import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RequestHandler } from './http/router.ts';
import type { TableSteps } from './pipeline/table-steps.ts';
import { Rejection } from './rejection.ts';
import { post, results, WriteApiWorld, type Result } from './testing/write-api-world.ts';

const SCHEMA = `
CREATE TABLE notes (id text PRIMARY KEY, owner text, body text CHECK (length(body) < 10));
CREATE TABLE guarded (id text PRIMARY KEY, owner text, body text);
INSERT INTO guarded VALUES ('mine', 'u1', 'a'), ('theirs', 'u2', 'a');
DO $$ BEGIN CREATE ROLE app_user; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT USAGE ON SCHEMA public TO app_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON notes, guarded TO app_user;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded TO app_user USING (owner = current_setting('request.jwt.claims')::json->>'sub');
`;

let world: WriteApiWorld;
let api: RequestHandler;

beforeAll(async () => {
  world = await WriteApiWorld.start();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.reset(SCHEMA);
  api = world.api();
});

const put = (id: string, body: string, more: object = {}) => ({
  op: 'PUT',
  table: 'notes',
  id,
  data: { body },
  ...more,
});
const TOO_LONG = 'much too long';
const statuses = (answers: readonly Result[]) => answers.map(({ status, code }) => code ?? status);
const recorded = () =>
  world.rows(
    `SELECT user_id, client_id, table_name, row_id, op, code, message, data FROM sluice_rejected_writes ORDER BY row_id`,
  );

describe('refused writes', () => {
  test('are recorded with what was sent, for whom, and why', async () => {
    await results(api, {
      clientId: 'c1',
      entries: [put('a', TOO_LONG), put('b', 'fine'), { ...put('c', 'x'), table: 'nowhere' }],
    });
    expect(await recorded()).toEqual([
      {
        user_id: 'u1',
        client_id: 'c1',
        table_name: 'notes',
        row_id: 'a',
        op: 'PUT',
        code: 'UPLOAD_CONSTRAINT',
        message: expect.stringContaining('notes_body_check'),
        data: '{"body":"much too long"}',
      },
      expect.objectContaining({ row_id: 'c', table_name: 'nowhere', code: 'UPLOAD_TABLE_UNKNOWN' }),
    ]);
  });

  test('are dismissed by whoever made them, and by nobody else; and never written', async () => {
    await results(api, { entries: [put('a', TOO_LONG)] });
    const [row] = (await world.rows('SELECT id FROM sluice_rejected_writes')) as { id: string }[];
    const dismiss = { op: 'DELETE', table: 'sluice_rejected_writes', id: row?.id };
    const forge = { op: 'PUT', table: 'sluice_rejected_writes', id: 'x', data: { user_id: 'u2' } };
    const only = { config: { tables: { notes: null } } };
    expect(
      statuses(await results(world.api({ userId: 'u2', ...only }), { entries: [dismiss] })),
    ).toEqual(['ok']);
    expect(await recorded()).toHaveLength(1);
    expect(statuses(await results(world.api(only), { entries: [dismiss, dismiss] }))).toEqual([
      'ok',
      'ok',
    ]);
    expect(await recorded()).toHaveLength(0);
    expect(statuses(await results(api, { entries: [forge] }))).toEqual(['UPLOAD_FORBIDDEN']);
  });

  test('are kept up to a number per user, the newest', async () => {
    const handler = world.api({ config: { rejected_writes_per_user: 2 } });
    for (const id of ['a', 'b', 'c']) await results(handler, { entries: [put(id, TOO_LONG)] });
    await results(world.api({ userId: 'u2' }), { entries: [put('d', TOO_LONG)] });
    expect((await recorded()).map((row) => (row as { row_id: string }).row_id)).toEqual([
      'b',
      'c',
      'd',
    ]);
  });

  test('are only answered where the table is switched off, and may have another name', async () => {
    await results(world.api({ config: { rejected_writes: false } }), {
      entries: [put('a', TOO_LONG)],
    });
    await results(world.api({ config: { rejected_writes: 'my refusals' } }), {
      entries: [put('b', TOO_LONG)],
    });
    expect(await world.rows('SELECT row_id FROM "my refusals"')).toEqual([{ row_id: 'b' }]);
    expect(await world.rows(`SELECT to_regclass('sluice_rejected_writes') AS is`)).toEqual([
      { is: null },
    ]);
  });

  test('leave the rest of their transaction alone, or refuse all of it where that is configured', async () => {
    const body = {
      clientId: 'c',
      entries: [
        put('a', 'x', { seq: 1, tx: 1 }),
        put('b', TOO_LONG, { seq: 2, tx: 1 }),
        put('c', 'x', { seq: 3, tx: 2 }),
      ],
    };
    expect(
      statuses(await results(world.api({ config: { atomic_transactions: true } }), body)),
    ).toEqual(['UPLOAD_TRANSACTION_REFUSED', 'UPLOAD_CONSTRAINT', 'ok']);
    expect(await world.rows('SELECT id FROM notes')).toEqual([{ id: 'c' }]);
    expect(statuses(await results(api, { ...body, clientId: 'd' }))).toEqual([
      'ok',
      'UPLOAD_CONSTRAINT',
      'ok',
    ]);
  });
});

describe('row-level security', () => {
  const update = (id: string) => ({ op: 'PATCH', table: 'guarded', id, data: { body: 'b' } });
  const guarded = () => world.rows('SELECT id, owner, body FROM guarded ORDER BY id');

  test('applies to writes as the role with the claims; what it hides is refused, what is missing is not', async () => {
    const handler = world.api({ config: { row_level_security: { role: 'app_user' } } });
    const insert = (id: string, owner: string) => ({
      op: 'PUT',
      table: 'guarded',
      id,
      data: { owner, body: 'n' },
    });
    const answer = await results(handler, {
      entries: [
        update('mine'),
        update('theirs'),
        update('missing'),
        { op: 'DELETE', table: 'guarded', id: 'theirs' },
        insert('new', 'u1'),
        insert('forged', 'u2'),
        insert('theirs', 'u1'),
      ],
    });
    expect(statuses(answer)).toEqual([
      'ok',
      'UPLOAD_FORBIDDEN',
      'ok',
      'UPLOAD_FORBIDDEN',
      'ok',
      'UPLOAD_FORBIDDEN',
      'UPLOAD_FORBIDDEN',
    ]);
    expect(await guarded()).toEqual([
      { id: 'mine', owner: 'u1', body: 'b' },
      { id: 'new', owner: 'u1', body: 'n' },
      { id: 'theirs', owner: 'u2', body: 'a' },
    ]);
    // Kept by the service itself: the role has no right to the table.
    expect(await recorded()).toHaveLength(4);
  });

  test('stands beside rules: they see the row whoever owns it, functions act as the role', async () => {
    const seen: unknown[] = [];
    const handler = world.api({
      config: { row_level_security: { role: 'app_user' } },
      stepsOf: () => ({
        bundles: [
          {
            needsStored: () => true,
            steps: [
              async (write, stored, _caller, transaction) => {
                const { rows } = await transaction.query(
                  'SELECT current_user::text AS who, count(*) AS n FROM guarded',
                );
                seen.push([stored?.get('owner'), rows[0]]);
                return write;
              },
            ],
          },
        ],
      }),
    });
    expect(statuses(await results(handler, { entries: [update('theirs')] }))).toEqual([
      'UPLOAD_FORBIDDEN',
    ]);
    expect(seen[0]).toEqual(['u2', { who: 'app_user', n: 1 }]);
  });
});

describe('steps', () => {
  test('run in their order around the write; what they throw refuses the entry and undoes what they did', async () => {
    const log: string[] = [];
    const bundle = (name: string) => ({
      needsStored: () => false,
      steps: [
        (
          write: Parameters<
            NonNullable<ReturnType<typeof stepsOf>>['bundles'][number]['steps'][number]
          >[0],
        ) => {
          log.push(name);
          return { ...write, values: new Map([...write.values, ['owner', name]]) };
        },
      ],
    });
    const stepsOf = (table: string): TableSteps | undefined =>
      table === 'notes'
        ? {
            bundles: [bundle('before'), bundle('policy'), bundle('conflict')],
            afterWrite: async ({ write }, _caller, transaction) => {
              log.push('after');
              await transaction.query(`INSERT INTO guarded VALUES ($1, 'log', $2)`, [
                `log-${write.id}`,
                write.values.get('owner'),
              ]);
              if (write.id === 'bad') throw new Rejection('UPLOAD_REJECTED', 'No');
            },
          }
        : undefined;
    const answer = await results(world.api({ stepsOf }), { entries: [put('good', 'x')] });
    expect([statuses(answer), log]).toEqual([['ok'], ['before', 'policy', 'conflict', 'after']]);
    expect(
      statuses(
        await results(world.api({ stepsOf }), { entries: [put('bad', 'x'), put('also', 'x')] }),
      ),
    ).toEqual(['UPLOAD_REJECTED', 'ok']);
    expect(await world.rows('SELECT id, owner FROM notes ORDER BY id')).toEqual([
      { id: 'also', owner: 'conflict' },
      { id: 'good', owner: 'conflict' },
    ]);
    expect(await world.rows(`SELECT id FROM guarded WHERE owner = 'log' ORDER BY id`)).toEqual([
      { id: 'log-also' },
      { id: 'log-good' },
    ]);
  });

  test('that decided about an insert never change a row that came in between', async () => {
    let isFirst = true;
    const seen: unknown[] = [];
    const handler = world.api({
      stepsOf: () => ({
        bundles: [
          {
            needsStored: () => true,
            steps: [
              async (write, stored) => {
                seen.push(stored?.get('owner'));
                if (stored !== undefined) throw new Rejection('UPLOAD_FORBIDDEN', 'Not yours');
                if (isFirst)
                  await world.pool.query(`INSERT INTO notes VALUES ('a', 'other', 'theirs')`);
                isFirst = false;
                return write;
              },
            ],
          },
        ],
      }),
    });
    expect(statuses(await results(handler, { entries: [put('a', 'mine')] }))).toEqual([
      'UPLOAD_FORBIDDEN',
    ]);
    expect(seen).toEqual([undefined, 'other']);
    expect(await world.rows('SELECT body FROM notes')).toEqual([{ body: 'theirs' }]);
  });

  test('a conflict is told as one, with the row that the step shows', async () => {
    const row = new Map<string, bigint | string>([
      ['version', 9007199254740993n],
      ['body', 'now'],
    ]);
    const stepsOf = () => ({
      bundles: [
        {
          needsStored: () => false,
          steps: [
            () => {
              throw new Rejection('UPLOAD_CONFLICT', 'It has changed', { row });
            },
          ],
        },
      ],
    });
    expect(await results(world.api({ stepsOf }), { entries: [put('a', 'x', { seq: 4 })] })).toEqual(
      [
        {
          seq: 4,
          status: 'conflict',
          code: 'UPLOAD_CONFLICT',
          message: 'It has changed',
          row: { version: '9007199254740993', body: 'now' },
        },
      ],
    );
  });
});

describe('requests', () => {
  const body = JSON.stringify({ entries: [put('a', 'x')] });

  test('may be compressed, and are bounded as sent and as unpacked', async () => {
    const handler = world.api({ config: { max_body_bytes: 2000, max_entries: 3 } });
    const gzip = { 'content-encoding': 'gzip' };
    expect((await post(handler, gzipSync(body), gzip)).status).toBe(200);
    expect((await post(handler, gzipSync(`${body}${' '.repeat(5000)}`), gzip)).status).toBe(413);
    expect((await post(handler, `${body}${' '.repeat(5000)}`)).status).toBe(413);
    expect((await post(handler, gzipSync(body).subarray(0, 30), gzip)).status).toBe(400);
    expect((await post(handler, body, { 'content-encoding': 'br' })).status).toBe(415);
    expect(
      (await post(handler, { entries: [1, 2, 3, 4].map((n) => put(`${n}`, 'x')) })).status,
    ).toBe(413);
  });

  test('beyond what is worked on and waits get 503 with Retry-After, and later ones are taken', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const handler = world.api({
      config: { max_concurrency: 2 },
      authenticate: async () => {
        await gate;
        return { userId: 'u1', claims: {}, clientId: undefined };
      },
    });
    const first = [1, 2, 3, 4].map(() => post(handler, body));
    const refused = await post(handler, body);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    open();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await post(handler, body)).status).toBe(200);
  });
});
