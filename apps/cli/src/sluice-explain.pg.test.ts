import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isJsonObject, must } from '@sluice/base';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DevFolder } from './dev/dev-folder.ts';
import { runSql } from './database/run-sql.ts';
import { buildCommand, runCommand, RunningCommand } from './testing/running-command.ts';

const START_MS = 60_000;

/** Not deployed: own lists of which the first three are left out. */
const NEW_CONFIG = `
config: { edition: 3 }
streams:
  lists:
    auto_subscribe: true
    query: SELECT * FROM lists WHERE owner_id = auth.user_id() AND position > 3
  staff:
    auto_subscribe: true
    query: SELECT * FROM users WHERE auth.parameter('role') = 'admin'
  one_list:
    query: SELECT * FROM todos WHERE list_id = subscription.parameter('list') AND subscription.parameter('list') IN (SELECT list_id FROM members WHERE user_id = auth.user_id())
`;

/** Of the sample, as its file has them. */
const STREAMS = ['people', 'lists', 'members', 'todos', 'rejected'];

let parent: string;
let dir: string;
let dev: RunningCommand;
let newConfig: string;

beforeAll(async () => {
  buildCommand();
  parent = await mkdtemp(path.join(tmpdir(), 'sluice-explain-'));
  await chmod(parent, 0o755); // as root, the database runs as another user and must get in
  dir = path.join(parent, '.sluice');
  newConfig = path.join(parent, 'new.yaml');
  await writeFile(newConfig, NEW_CONFIG);
  dev = new RunningCommand(['dev', '--dir', dir, '--port', '0']);
  await dev.waitFor(/Ctrl-C stops everything/, START_MS);
}, 240_000);
afterAll(async () => {
  await dev[Symbol.asyncDispose]();
  await rm(parent, { recursive: true, force: true });
});

/** What the command prints, in one line; it succeeds. */
async function explain(...args: readonly string[]): Promise<string> {
  const { code, output } = await runCommand(['explain', '--dir', dir, ...args]);
  expect({ output, code }).toMatchObject({ code: 0 });
  return output.replace(/\s+/g, ' ');
}

async function refusal(...args: readonly string[]): Promise<string> {
  const { code, output } = await runCommand(['explain', '--dir', dir, ...args]);
  expect({ output, code }).toMatchObject({ code: 1 });
  return output.replace(/\s+/g, ' ');
}

async function listId(condition: string): Promise<string> {
  const url = must(DevFolder.at(dir).state(), 'the state of sluice dev').databaseUrl;
  const [result] = await runSql(url, `SELECT id FROM lists l WHERE ${condition} LIMIT 1`);
  return must(result?.rows[0]?.[0], 'a list');
}

const BY_ALICE = `EXISTS (SELECT FROM members m WHERE m.list_id = l.id AND m.user_id = 'alice')`;

test(
  'what a user gets, by stream, with the way to it and the rows',
  { timeout: 180_000 },
  async () => {
    const all = await explain('--user', 'alice');
    expect(all).toMatch(/alice gets 119 buckets with 1,288 rows from what sluice dev serves/);
    expect(all).toMatch(/✓ people 1 bucket, priority 1 by default: the same for everybody/);
    expect(all).toMatch(/✓ rejected 1 bucket, priority 1 by default: auth\.user_id\(\) is 'alice'/);
    expect(all).toContain('{"id":"alice","name":"Alice"}');
    expect(all).toMatch(
      /members where user_id = 'alice' gave 39 list_id \('[-\w]+', .*lists 39 rows/,
    );
    expect(all).toMatch(/todos 1,170 rows .*… 1,167 more/);

    const nobody = await explain('--user', 'zed');
    // The people are the same for everybody, and there may be refused writes of anybody.
    expect(nobody).toMatch(/zed gets 2 buckets with 4 rows/);
    expect(nobody).toContain(`there is no row in members where user_id = 'zed'`);
    expect(nobody).toContain('zed is none of the users of sluice dev (alice, bob, carol, dave)');

    expect(await explain('--user', 'alice', '--no-defaults')).toMatch(/alice gets 0 buckets/);
    const { output: token } = await runCommand(['token', '--dir', dir, '--user', 'bob']);
    expect(await explain('--token', token.trim())).toMatch(/bob gets \d+ buckets/);
    expect(await explain('--user', 'alice', '--limit', '100')).toMatch(/Only 100 operations/);
  },
);

test(
  'a row that a user has, and one that the user does not have',
  { timeout: 180_000 },
  async () => {
    const shared = await listId(`owner_id = 'bob' AND ${BY_ALICE}`);
    const yes = await explain('--user', 'alice', '--row', `lists/${shared}`);
    expect(yes).toContain(`bucket id = '${shared}' alice has it by default: members where`);
    expect(yes).toContain(`✓ lists/${shared} is on alice's device through stream lists`);

    const own = await listId(`owner_id = 'bob' AND NOT ${BY_ALICE}`);
    const no = await explain('--user', 'alice', '--row', `public.lists:${own}`);
    expect(no).toContain(
      `✗ lists/${own} is not on alice's device: it takes members.list_id = '${own}', ` +
        `but members where user_id = 'alice' gave 39 list_id`,
    );

    expect(await explain('--row', `lists/${own}`)).toContain(`is in 1 bucket of stream lists`);
    expect(await explain('--row', 'lists?name=Groceries&owner_id=bob')).toMatch(
      /lists\/[-\w]+ is in 1/,
    );
    expect(await explain('--row', `members?list_id=${own}`)).toContain(
      `lists: user_id = 'bob' → list_id '${own}'`,
    );
  },
);

test('a config that is not deployed, read from the database', { timeout: 180_000 }, async () => {
  const config = ['--sync-config', newConfig];
  const alice = await explain('--user', 'alice', ...config);
  expect(alice).toMatch(/alice gets 1 bucket with 27 rows from what .*new\.yaml makes of/);
  expect(alice).toContain(
    `✗ staff no bucket by default: nothing, auth.parameter('role') = 'admin' is not true, ` +
      `for auth.parameter('role') is NULL`,
  );
  expect(alice).toContain('– one_list no bucket alice has not subscribed to it');

  const admin = await explain('--user', 'alice', '--claims', '{"role":"admin"}', ...config);
  expect(admin).toMatch(/✓ staff 1 bucket, .*users 4 rows/);

  const first = await listId(`owner_id = 'alice' AND position = 1`);
  const filtered = await explain('--user', 'alice', '--row', `lists/${first}`, ...config);
  expect(filtered).toContain(
    `✗ lists/${first} is on no device: it is in no bucket, for position > 3 is not true, for position is 1`,
  );
  const stream = `one_list:{"list":"${first}"}`;
  const todos = await explain('--user', 'alice', '--stream', stream, ...config);
  expect(todos).toMatch(/✓ one_list .*subscription 1: .*todos 30 rows/);
  expect(await explain('--user', 'bob', '--stream', stream, ...config)).toMatch(
    /✗ one_list no bucket subscription 1: nothing, there is no row in members where/,
  );
  const few = await explain('--user', 'alice', '--limit', '10', ...config);
  expect(few).toContain('Only 10 rows of lists were read, so the answer may lack some');
});

test('JSON says the same to tools', { timeout: 180_000 }, async () => {
  const shared = await listId(`owner_id = 'bob' AND ${BY_ALICE}`);
  const answer: unknown = JSON.parse(
    await explain('--user', 'alice', '--row', `lists/${shared}`, '--json'),
  );
  expect(isJsonObject(answer) && answer).toMatchObject({
    who: 'alice',
    verdict: { isYes: true },
    visibility: { isVisible: true, buckets: [{ definition: 'lists', whyNot: [] }] },
    request: { resolved: { streams: STREAMS.map((name) => ({ name })) } },
  });
  const rows: unknown = JSON.parse(await explain('--user', 'alice', '--rows', '0', '--json'));
  expect(isJsonObject(rows) && rows).toMatchObject({
    rowCount: 1288,
    rows: [
      { definition: 'people' },
      { tables: [{ table: 'lists', count: 39 }] },
      { tables: [{ table: 'members', count: 75 }] },
      { tables: [{ table: 'todos', count: 1170 }] },
      { definition: 'rejected', tables: [] },
    ],
  });
});

test('what does not exist is said, with what is near', { timeout: 180_000 }, async () => {
  expect(await refusal('--row', 'list/1')).toMatch(
    /no table list .*\(CLI_NOT_FOUND\) Did you mean lists\?/,
  );
  expect(await refusal('--row', 'lists/42')).toMatch(/invalid input syntax for type uuid/);
  const missing = '00000000-0000-0000-0000-000000000042';
  expect(await refusal('--row', `lists/${missing}`)).toContain(
    `lists has no row with id = '${missing}'`,
  );
  expect(await refusal('--row', 'lists?nam=x')).toContain('Did you mean name?');
  expect(await refusal('--user', 'alice', '--stream', 'todo')).toContain('Did you mean todos?');
  expect(await refusal('--user', 'alice', '--token', 'x')).toContain('both say who asks');
});

test('rows of users need no running service, single rows do', { timeout: 180_000 }, async () => {
  expect(await dev.interrupt()).toBe(0);
  expect(await explain('--user', 'alice')).toMatch(/alice gets 119 buckets with 1,288 rows/);
  expect(await refusal('--row', 'lists/1')).toContain('sluice dev is not running');
});
