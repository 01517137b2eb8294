import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DevFolder } from './dev/dev-folder.ts';
import { buildCommand, runCommand, RunningCommand } from './testing/running-command.ts';

const START_MS = 60_000;
const CHANGE_MS = 15_000;

const LISTS = `
  lists:
    auto_subscribe: true
    query: SELECT id, name FROM lists WHERE owner = auth.user_id()
`;
const TODOS = `
  todos:
    auto_subscribe: true
    query: SELECT id, title FROM todos WHERE owner = auth.user_id()
`;
const HEAD = 'config: { edition: 3 }\nstreams:';

let parent: string;
let server: LocalPostgres;
let projects = 0;
let cwd: string;
let url: string;

beforeAll(async () => {
  buildCommand();
  parent = await mkdtemp(path.join(tmpdir(), 'sluice-deploy-'));
  await chmod(parent, 0o755); // as root, the database runs as another user and must get in
  server = await LocalPostgres.start({ dataDir: path.join(parent, 'postgres'), fast: true });
}, 180_000);
afterAll(async () => {
  await server?.stop();
  await rm(parent, { recursive: true, force: true });
});

beforeEach(async () => {
  const name = `project${++projects}`;
  cwd = path.join(parent, name);
  await DevFolder.create(path.join(cwd, '.sluice'));
  await server.ensureDatabase(name);
  url = server.url(name);
  await query(`
    CREATE TABLE lists (id text PRIMARY KEY, owner text, name text);
    CREATE TABLE todos (id text PRIMARY KEY, owner text, title text);
    CREATE PUBLICATION powersync FOR ALL TABLES;
    INSERT INTO lists VALUES ('l1', 'ann', 'Food');
    INSERT INTO todos SELECT 't' || n, 'ann', 'Todo ' || n FROM generate_series(1, 250) n`);
  await save(HEAD + LISTS);
});

async function query(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

const save = (text: string, name = 'sync-config.yaml') => writeFile(path.join(cwd, name), text);
const run = (...args: readonly string[]) => runCommand(args, { cwd });

function startDev(): RunningCommand {
  const ports = ['--port', '0'];
  return new RunningCommand(['dev', '--db', url, ...ports, '--user', 'ann'], { cwd });
}

test(
  'dev takes up a saved sync config, and no faulty one harms what is served',
  { timeout: 240_000 },
  async () => {
    await using dev = startDev();
    await dev.waitFor(/Ctrl-C stops everything/, START_MS);
    await using tail = new RunningCommand(['tail'], { cwd });
    await tail.waitFor(/✓ 1 row in .*lists 1/, START_MS);
    const token = path.join(cwd, '.sluice', 'api-token');
    expect((await stat(token)).mode & 0o777).toBe(0o600);

    await save(HEAD + LISTS.replace('FROM', 'FORM'));
    await dev.waitFor(/sync-config\.yaml:5:\d+: error SQL_SYNTAX/, CHANGE_MS);
    await dev.waitFor(/✗ sync-config\.yaml has 1 error.*goes on serving/, CHANGE_MS);
    await query(`UPDATE lists SET name = 'Drinks'`);
    await tail.waitFor(/PUT +lists +l1 +name Food → Drinks/, CHANGE_MS);

    let from = dev.output.length;
    await save(HEAD + LISTS + TODOS);
    await dev.waitFor(
      /↻ sync-config\.yaml: 1 added, 1 kept; about 250 rows to read/,
      CHANGE_MS,
      from,
    );
    await dev.waitFor(/✓ The changed sync config serves/, CHANGE_MS, from);
    await tail.waitFor(/checkpoint \d+ · 250 changes/, CHANGE_MS);
    await query(`UPDATE todos SET title = 'Milk' WHERE id = 't7'`);
    await tail.waitFor(/PUT +todos +t7 .*Milk/, CHANGE_MS);
    expect(tail.output).not.toMatch(/MISMATCH/);

    // Of quick successive saves only the last counts; here it is what served first.
    from = dev.output.length;
    for (let i = 0; i < 5; i++) await save(`${HEAD}${TODOS}# ${i}\n`);
    await save(HEAD + LISTS);
    await dev.waitFor(/↻ sync-config\.yaml: 1 dropped, 1 kept\n/, CHANGE_MS, from);
    await dev.waitFor(/✓ The changed sync config serves/, CHANGE_MS, from);
    expect(dev.output.slice(from).match(/↻/g)).toHaveLength(1);

    from = dev.output.length;
    await rm(path.join(cwd, 'sync-config.yaml'));
    await dev.waitFor(/! sync-config\.yaml is gone.*goes on serving/, CHANGE_MS, from);
    await query(`UPDATE lists SET name = 'Last'`);
    await tail.waitFor(/name .*Drinks → Last/, CHANGE_MS);
    expect(await tail.interrupt()).toBe(0);
    expect(await dev.interrupt()).toBe(0);
  },
);

test(
  'plan, deploy and rollback find the service of dev, running and stopped',
  { timeout: 240_000 },
  async () => {
    await save(HEAD + LISTS + TODOS, 'new.yaml');
    const nowhere = await run('plan', 'new.yaml');
    expect(nowhere).toMatchObject({ code: 1 });
    expect(nowhere.output).toMatch(/CLI_USAGE[\s\S]*--url URL --token TOKEN/);
    {
      await using dev = startDev();
      await dev.waitFor(/Ctrl-C stops everything/, START_MS);
      await using tail = new RunningCommand(['tail'], { cwd });
      await tail.waitFor(/✓ 1 row in/, START_MS);

      const planned = await run('plan', 'new.yaml');
      expect(planned.code).toBe(0);
      expect(planned.output).toMatch(
        /= lists {2}kept\n {2}\+ todos {2}added +1 client downloads it\n/,
      );
      expect(planned.output).toMatch(/Reads about 250 rows of public\.todos/);
      const json = await run('plan', 'new.yaml', '--json');
      expect(JSON.parse(json.output)).toMatchObject({ kind: 'definitions', rows: 250, clients: 1 });

      const unasked = await run('deploy', 'new.yaml');
      expect(unasked).toMatchObject({ code: 1 });
      expect(unasked.output).toMatch(/CLI_USAGE[\s\S]*--yes/);
      const deployed = await run('deploy', 'new.yaml', '--yes');
      expect(deployed).toMatchObject({ code: 0 });
      expect(deployed.output).toMatch(/✓ It serves/);
      await tail.waitFor(/checkpoint \d+ · 250 changes/, CHANGE_MS);
      expect((await run('deploy', 'new.yaml', '--yes')).output).toMatch(/Nothing changes/);

      const back = await run('rollback', '--yes');
      expect(back).toMatchObject({ code: 0 });
      expect(back.output).toMatch(/✓ It serves/);
      const again = await run('plan', 'new.yaml');
      expect(again.output).toMatch(/\+ todos {2}added/);
      expect(await tail.interrupt()).toBe(0);
      expect(await dev.interrupt()).toBe(0);
    }
    const stopped = await run('plan', 'new.yaml');
    expect(stopped.output).toMatch(/sluice dev, as stored/);
    expect(stopped.output).toMatch(
      /= lists {2}kept\n {2}\+ todos {2}added +its buckets are there\n/,
    );
    expect(stopped.output).toMatch(/The service does not run, so its clients are not known/);
    const refused = await run('deploy', 'new.yaml', '--yes');
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.output).toMatch(/CLI_SERVICE_UNREACHABLE/);
  },
);

test(
  'a service file: deploys where it names no sync config, and an explanation where it does',
  { timeout: 240_000 },
  async () => {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const file = (syncConfig: string) => `
replication: { connections: [{ type: postgresql, uri: '${url}', sslmode: disable }] }
storage: { type: sqlite, path: data/buckets.db }
api: { tokens: [secret] }
client_auth: { audience: [x] }
host: 127.0.0.1
port: ${port}
${syncConfig}`;
    await save(file(''), 'service.yaml');
    await save(HEAD + LISTS + TODOS, 'new.yaml');
    {
      await using service = new RunningCommand(['start', '--config', 'service.yaml'], { cwd });
      await service.waitFor(/service_listening/, START_MS);
      const first = await run('deploy', 'sync-config.yaml', '--config', 'service.yaml');
      expect(first).toMatchObject({ code: 0 });
      expect(first.output).toMatch(/this is the first sync config[\s\S]*✓ It serves/);
      const target = ['--url', `http://127.0.0.1:${port}`, '--token'];
      const second = await run('deploy', 'new.yaml', '--yes', '--no-wait', ...target, 'secret');
      expect(second.output).toMatch(/✓ Deployed/);
      const wrong = await run('plan', 'new.yaml', ...target, 'other');
      expect(wrong).toMatchObject({ code: 1 });
      expect(wrong.output).toMatch(/does not accept the token \(CLI_REQUEST_REFUSED\)/);
      expect(await service.interrupt()).toBe(0);
    }
    await save(file('sync_config: { path: sync-config.yaml }'), 'service.yaml');
    const pinned = await run('deploy', 'new.yaml', '--yes', '--config', 'service.yaml');
    expect(pinned).toMatchObject({ code: 1 });
    expect(pinned.output).toMatch(
      /API_SYNC_CONFIG_PINNED[\s\S]*Change sync-config\.yaml and restart/,
    );
    expect(await readFile(path.join(cwd, 'sync-config.yaml'), 'utf8')).toBe(HEAD + LISTS);
    const planned = await run('plan', 'new.yaml', '--config', 'service.yaml');
    expect(planned).toMatchObject({ code: 0 });
    const faulty = await run('plan', 'service.yaml', '--config', 'service.yaml');
    expect(faulty).toMatchObject({ code: 1 });
    expect(faulty.output).toMatch(/service\.yaml:2:1: error YAML_SCHEMA/);
  },
);
