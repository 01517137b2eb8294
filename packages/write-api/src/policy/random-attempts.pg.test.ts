import { ScratchPostgres, SeededRandom } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeApiConfig } from '../config/write-api-config.ts';
import type { RawTableRules } from '../config/write-api-schema.ts';
import type { RequestHandler } from '../http/router.ts';
import type { Caller } from '../pipeline/row-write.ts';
import {
  configOf,
  policiesOf,
  randomRules,
  triggersOf,
  type RandomRules,
} from '../testing/random-rules.ts';
import { createWriteApi } from '../write-api.ts';

/**
 * Random users try random writes under random rules. PostgreSQL's own row-level security, with the same
 * expressions on a twin of the table, says what each must have changed; both are compared after each.
 */

const COLUMNS =
  'id text PRIMARY KEY, owner text, team text, status text, score int, is_public boolean, price numeric(6,2), day date';
const SCHEMA = `
CREATE SCHEMA auth;
CREATE FUNCTION auth.parameters() RETURNS json STABLE LANGUAGE sql AS $$
  SELECT current_setting('request.jwt.claims', true)::json $$;
CREATE FUNCTION auth.user_id() RETURNS text STABLE LANGUAGE sql AS $$ SELECT auth.parameters() ->> 'sub' $$;
CREATE FUNCTION auth.parameter(name text) RETURNS text STABLE LANGUAGE sql AS $$ SELECT auth.parameters() ->> name $$;
CREATE TABLE members (team text, user_id text);
CREATE TABLE notes (${COLUMNS});
CREATE SCHEMA oracle;
CREATE TABLE oracle.notes (${COLUMNS});
CREATE ROLE authenticated;
GRANT USAGE ON SCHEMA public, oracle, auth TO authenticated;
GRANT ALL ON notes, oracle.notes, members TO authenticated;
`;
const NAMES = ['owner', 'team', 'status', 'score', 'is_public', 'price', 'day'] as const;
const IDS = ['n1', 'n2', 'n3', 'n4'];

/** Values as clients spell them, of which some are not how the database does, and some are wrong. */
const SPELLINGS: Readonly<Record<(typeof NAMES)[number], readonly unknown[]>> = {
  owner: ['ann', 'ben', 'cat', null],
  team: ['a', 'b', 'ann', null],
  status: ['open', 'done', 'new', '', null],
  score: ['2', ' 4', '+3', '0', '1 ', 'x'],
  is_public: [0, 1, 't', 'yes', 'off', ' TRUE ', 'maybe'],
  price: [1, '1.5', '0.15e1', ' 20', '1.499'],
  day: ['2026-2-1', 'Feb 3, 2026', '20260301', 'Jan 31 2026'],
};
const CANONICAL: Readonly<Record<(typeof NAMES)[number], readonly unknown[]>> = {
  ...SPELLINGS,
  status: ['open', 'done', 'new'],
  score: [0, 1, 3, 5, null],
  is_public: [true, false, null],
  price: ['1.50', '20.00', null],
  day: ['2026-01-31', '2026-03-01', null],
};

const CALLERS: readonly Caller[] = [
  { userId: 'ann', claims: { sub: 'ann', role: 'user', team: 'a' }, clientId: undefined },
  { userId: 'ben', claims: { sub: 'ben', role: 'admin' }, clientId: undefined },
  { userId: 'cat', claims: { sub: 'cat', team: null }, clientId: undefined },
];

interface Attempted {
  readonly op: 'PUT' | 'PATCH' | 'DELETE';
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

let scratch: ScratchPostgres;
let pool: pg.Pool;
let oracle: pg.Client;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  pool = new pg.Pool({ connectionString: scratch.server.url(), max: 2 });
  oracle = new pg.Client({ connectionString: scratch.server.url() });
  await oracle.connect();
  await oracle.query(SCHEMA);
});
afterAll(async () => {
  await oracle.end();
  await pool.end();
  await scratch[Symbol.asyncDispose]();
});

async function content(table: string): Promise<string> {
  const { rows } = await oracle.query<{ json: string }>(
    `SELECT coalesce(json_agg(n ORDER BY id), '[]')::text AS json FROM ${table} n`,
  );
  return rows[0]?.json ?? '';
}

async function fill(random: SeededRandom): Promise<void> {
  await oracle.query('DROP TRIGGER IF EXISTS before ON oracle.notes');
  await oracle.query('TRUNCATE notes, oracle.notes, members');
  for (const id of IDS.slice(0, 3)) {
    const values = NAMES.map((name) => random.pick(CANONICAL[name]));
    for (const table of ['notes', 'oracle.notes']) {
      const text = `INSERT INTO ${table} (id, ${NAMES.join()}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;
      await oracle.query(text, [id, ...values]);
    }
  }
  for (let i = random.int(4); i > 0; i--) {
    const member = [random.pick(['a', 'b']), random.pick(['ann', 'ben', 'cat'])];
    await oracle.query('INSERT INTO members VALUES ($1, $2)', member);
  }
}

function randomAttempt(random: SeededRandom): Attempted {
  const op = random.pick(['PUT', 'PATCH', 'PATCH', 'DELETE'] as const);
  const count = op === 'PUT' && random.chance(0.7) ? NAMES.length : 1 + random.int(3);
  const names = op === 'DELETE' ? [] : NAMES.toSorted(() => random.next() - 0.5).slice(0, count);
  // One odd spelling at a time, so that it decides.
  const odd = random.chance(0.7) ? random.pick(names.length > 0 ? names : NAMES) : undefined;
  const data = Object.fromEntries(
    names.map((name) => [name, random.pick((name === odd ? SPELLINGS : CANONICAL)[name])]),
  );
  return { op, id: random.pick(IDS), data };
}

/** As row-level security does it, as that user; what is refused changes nothing. */
async function applyToOracle(attempt: Attempted, caller: Caller, rules: RandomRules) {
  const { op, id } = attempt;
  const data = Object.entries(attempt.data).filter(([name]) => !rules.set.has(name));
  const values = data.map(([, value]) => (value === null ? null : textOf(value)));
  const names = data.map(([name]) => name);
  const { rows } = await oracle.query('SELECT FROM oracle.notes WHERE id = $1', [id]);
  const isInsert = op === 'PUT' && rows.length === 0;
  if (op === 'PATCH' && names.length === 0) return;
  // A PUT of nothing but what the server sets is a write all the same.
  const changes = names.length === 0 ? ['id = id'] : names.map((name, i) => `${name} = $${i + 2}`);
  const places = names.map((_, i) => `$${i + 2}`);
  const text = isInsert
    ? `INSERT INTO oracle.notes (${['id', ...names].join()}) VALUES (${['$1', ...places].join()})`
    : op === 'DELETE'
      ? 'DELETE FROM oracle.notes WHERE id = $1'
      : `UPDATE oracle.notes SET ${changes.join()} WHERE id = $1`;
  await oracle.query('BEGIN');
  try {
    await oracle.query(
      "SELECT set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)",
      [JSON.stringify(caller.claims)],
    );
    await oracle.query(text, [id, ...values]);
    await oracle.query('COMMIT');
  } catch {
    await oracle.query('ROLLBACK');
  }
}

function textOf(value: unknown): string {
  return value === true ? '1' : value === false ? '0' : String(value);
}

interface Mode {
  readonly name: string;
  readonly rules: (rules: RandomRules) => RawTableRules;
  readonly role: string | undefined;
  /** A PUT of a row that is there must pass the policy for inserts too: the database upserts it. */
  readonly isUpsert?: boolean;
  /** How the write gets there; default: an upload. */
  readonly send?: typeof upload;
}

const MODES: readonly Mode[] = [
  { name: 'rules', rules: configOf, role: undefined },
  { name: 'rules, and the same policies in the database', rules: configOf, role: 'authenticated' },
  {
    name: 'policies in the database for who may, rules for the rest',
    rules: (rules) => ({ ...configOf(rules), insert: true, update: true, delete: true }),
    role: 'authenticated',
    isUpsert: true,
  },
  { name: 'rules, through the data API', rules: configOf, role: undefined, send: ask },
  {
    name: 'rules and a rule for reading, through the data API',
    rules: (rules) => ({ ...configOf(rules), read: true }),
    role: undefined,
    send: askByCondition,
  },
  {
    name: 'rules and the same policies in the database, through the data API',
    rules: configOf,
    role: 'authenticated',
    send: ask,
  },
];

const ROUNDS = Number(process.env['RULE_ROUNDS'] ?? 20);
const WRITES = 12;

describe.each(MODES)('with $name', ({ rules: rulesOf, role, isUpsert, send = upload }) => {
  it('a write changes what row-level security would let it change, and nothing else', async () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
    const random = new SeededRandom(seed);
    let changes = 0;
    let refusals = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const rules = randomRules(random);
      await fill(random);
      await oracle.query(policiesOf(rules, 'oracle.notes') + triggersOf(rules, 'oracle.notes'));
      if (role === undefined) await oracle.query('ALTER TABLE notes DISABLE ROW LEVEL SECURITY');
      else await oracle.query(policiesOf(rules, 'public.notes'));
      let caller = random.pick(CALLERS);
      const handle = handlerOf(rulesOf(rules), role, () => caller);
      for (let i = 0; i < WRITES; i++) {
        caller = random.pick(CALLERS);
        const attempt = randomAttempt(random);
        const before = await content('notes');
        const answer = await send(attempt, caller, handle);
        await applyToOracle(attempt, caller, rules);
        const after = await content('notes');
        const wanted = await content('oracle.notes');
        if (isUpsert === true && attempt.op === 'PUT' && after === before && wanted !== before) {
          await oracle.query('DROP TRIGGER before ON oracle.notes');
          await oracle.query('DELETE FROM oracle.notes');
          await oracle.query('INSERT INTO oracle.notes SELECT * FROM notes');
          await oracle.query(triggersOf(rules, 'oracle.notes'));
          continue;
        }
        const what = { seed, round, i, caller: caller.userId, attempt, rules, answer, before };
        expect(after, JSON.stringify(what, null, 1)).toBe(wanted);
        if (after === before) refusals++;
        else {
          changes++;
          expect(answer, JSON.stringify(what, null, 1)).toMatchObject({ status: 'ok' });
        }
      }
    }
    // Neither side of the decision is rare.
    expect({ seed, many: changes > ROUNDS && refusals > ROUNDS }).toEqual({ seed, many: true });
  }, 120_000);
});

function handlerOf(
  rules: RawTableRules,
  role: string | undefined,
  caller: () => Caller,
): RequestHandler {
  const config = writeApiConfig({
    tables: { notes: rules },
    ...(role === undefined ? {} : { row_level_security: { role } }),
  });
  return createWriteApi({ database: pool, authenticate: async () => caller(), config });
}

async function upload(
  { op, id, data }: Attempted,
  caller: Caller,
  handle: RequestHandler,
): Promise<unknown> {
  const body = JSON.stringify({ batch: [{ op_id: 1, op, type: 'notes', id, data }] });
  const response = await handle(new Request('http://localhost/upload', { method: 'POST', body }));
  expect(response.status, `as ${caller.userId}`).toBe(200);
  const { results } = (await response.json()) as { results: readonly unknown[] };
  return results[0];
}

/** The same through the data API, at the row's own address. */
function ask(attempt: Attempted, _: Caller, handle: RequestHandler): Promise<unknown> {
  return askAt(`/data/notes/${attempt.id}`, attempt, handle);
}

/** The same where a condition says which row. */
function askByCondition(attempt: Attempted, _: Caller, handle: RequestHandler): Promise<unknown> {
  return askAt(`/data/notes?id=eq.${attempt.id}`, attempt, handle);
}

async function askAt(
  address: string,
  { op, id, data }: Attempted,
  handle: RequestHandler,
): Promise<unknown> {
  const [method, place, body] =
    op === 'PUT'
      ? ['POST', '/data/notes?on_conflict=update', { id, ...data }]
      : [op, address, op === 'PATCH' ? data : undefined];
  const request = new Request(`http://localhost${place}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await handle(request);
  expect(response.status).toBeLessThan(500);
  const answer = (await response.json()) as { readonly results?: readonly unknown[] };
  return answer.results === undefined ? answer : answer.results[0];
}
