import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { must } from '@sluice/base';
import { LocalPostgres } from '@sluice/local-postgres';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DevFolder, type DevState } from './dev/dev-folder.ts';
import { buildCommand, runCommand, RunningCommand } from './testing/running-command.ts';

const START_MS = 60_000;
const CHANGE_MS = 10_000;

let parent: string;
beforeAll(async () => {
  buildCommand();
  parent = await mkdtemp(path.join(tmpdir(), 'sluice-cli-'));
  await chmod(parent, 0o755); // as root, the database runs as another user and must get in
}, 180_000);
afterAll(() => rm(parent, { recursive: true, force: true }));

function startDev(dir: string, ...more: readonly string[]): RunningCommand {
  return new RunningCommand(['dev', '--dir', dir, '--port', '0', ...more]);
}

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

function runningState(dir: string): DevState {
  return must(DevFolder.at(dir).state(), 'the state of sluice dev');
}

test(
  'dev serves the sample, tail shows changes and uploads live, and a restart goes on',
  { timeout: 240_000 },
  async () => {
    const dir = path.join(parent, '.sluice');
    await using dev = startDev(dir);
    await dev.waitFor(/Ctrl-C stops everything/, START_MS);
    expect(dev.output).toMatch(/4 users, 120 lists, 3,600 todos/);
    expect(dev.output).not.toMatch(/warning|TABLE_NOT_FOUND|eyJ/);
    const state = runningState(dir);

    await using tail = new RunningCommand(['tail', '--user', 'alice', '--dir', dir]);
    // 4 people; 30 own lists and 3 of each other user; 30 todos each; 27 lists with 1 member, 12 with 4
    const [summary] = await tail.waitFor(/✓ 1,288 rows in .*checksums right/, START_MS);
    for (const part of ['users 4', 'lists 39', 'members 75', 'todos 1,170']) {
      expect(summary).toContain(part);
    }
    const startedAt = Date.now();
    await query(
      state.databaseUrl,
      "UPDATE lists SET name = 'Seen' WHERE owner_id = 'alice' AND position = 1",
    );
    await tail.waitFor(/PUT +lists +[\w-]+ +name Groceries → Seen\n/, CHANGE_MS);
    expect(Date.now() - startedAt).toBeLessThan(2000);

    const sql = await runCommand([
      'sql',
      '--dir',
      dir,
      "UPDATE lists SET position = 31 WHERE name = 'Seen'",
    ]);
    expect(sql).toEqual({ code: 0, output: 'UPDATE 1\n' });
    await tail.waitFor(/PUT +lists +[\w-]+ +position 1 → 31\n/, CHANGE_MS);

    const config = path.resolve(import.meta.dirname, '../../../examples/sample/sync-config.yaml');
    const validated = await runCommand(['validate', '--dir', dir, config]);
    expect(validated.output).toMatch(/is valid/);
    expect(validated.output).not.toMatch(/not checked against a database/);

    const [todo] = await query(
      state.databaseUrl,
      "SELECT t.id FROM todos t JOIN lists l ON l.id = t.list_id WHERE l.name = 'Seen' AND t.position = 2",
    );
    const { output: token } = await runCommand(['token', '--user', 'alice', '--dir', dir]);
    const answer = await fetch(state.uploadUrl, {
      method: 'POST',
      headers: { authorization: `Token ${token.trim()}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        crud: [
          {
            op_id: 1,
            op: 'PATCH',
            type: 'todos',
            id: todo?.['id'],
            data: { description: 'Uploaded' },
          },
          { op_id: 2, op: 'PUT', type: 'nowhere', id: '1', data: {} },
        ],
      }),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      results: [
        { op_id: 1, status: 'ok' },
        { op_id: 2, status: 'rejected' },
      ],
    });
    await tail.waitFor(/PUT +todos +[\w-]+ +description ".*" → Uploaded\n/, CHANGE_MS);
    await tail.waitFor(/PUT +sluice_rejected_writes +.*nowhere/, CHANGE_MS);

    const second = await runCommand(['dev', '--dir', dir]);
    expect(second.code).toBe(1);
    expect(second.output).toContain('CLI_ALREADY_RUNNING');

    expect(await dev.interrupt()).toBe(0);
    expect(dev.output).toMatch(/Stopped\. Everything is kept/);
    await tail.waitFor(/trying again until it works|ended/, CHANGE_MS);

    const printed = tail.output.length;
    const port = new URL(state.serviceUrl).port;
    await using again = new RunningCommand(['dev', '--dir', dir, '--port', port]);
    await again.waitFor(/Ctrl-C stops everything/, START_MS);
    expect(again.output).toMatch(/Sample database as it was/);
    expect(runningState(dir).databaseUrl).toBe(state.databaseUrl);
    await query(state.databaseUrl, "UPDATE lists SET name = 'Again' WHERE name = 'Seen'");
    await tail.waitFor(/name Seen → Again\n/, START_MS, printed);
    expect(tail.output.slice(printed)).not.toMatch(/rows in|MISMATCH/);

    expect(await tail.interrupt()).toBe(0);
    expect(await again.interrupt()).toBe(0);
  },
);

describe('with an own database', () => {
  test(
    'says what to run where something is missing; --fix does it',
    { timeout: 240_000 },
    async () => {
      const dataDir = path.join(parent, 'own');
      await using server = await LocalPostgres.start({ dataDir, fast: true });
      await server.ensureDatabase('app');
      const url = server.url('app');
      await query(url, 'CREATE TABLE notes (id text PRIMARY KEY, owner_id text, body text)');
      const cwd = path.join(parent, 'project');
      await DevFolder.create(path.join(cwd, '.sluice'));

      const bare = await runCommand(['dev', '--db', url], { cwd });
      expect(bare.code).toBe(1);
      expect(bare.output).toMatch(/CREATE PUBLICATION "?powersync/);
      expect(bare.output).toContain('CLI_CHECKS_FAILED');

      const fixed = await runCommand(['doctor', '--db', url, '--fix'], { cwd });
      expect(fixed).toMatchObject({ code: 0 });
      expect(fixed.output).toMatch(/Ran 1 statement/);

      const noConfig = await runCommand(['dev', '--db', url], { cwd });
      expect(noConfig.code).toBe(1);
      expect(noConfig.output).toContain('sluice init');
      expect(await runCommand(['init', '--db', url], { cwd })).toMatchObject({ code: 0 });
      const valid = await runCommand(['validate', 'sync-config.yaml', '--db', url], { cwd });
      expect(valid.output).toMatch(/✓ sync-config.yaml is valid: 1 definition, 1 table/);
      const generated = await runCommand(['generate', 'schema', '--db', url], { cwd });
      expect(generated.output).toContain('owner_id: column.text,\n  body: column.text,');

      await using dev = new RunningCommand(['dev', '--db', url, '--port', '0', '--user', 'ann'], {
        cwd,
      });
      await dev.waitFor(/Ctrl-C stops everything/, START_MS);
      await using tail = new RunningCommand(['tail'], { cwd });
      await tail.waitFor(/✓ 0 rows in/, START_MS);
      await query(url, "INSERT INTO notes VALUES ('n1', 'ann', 'hello'), ('n2', 'bob', 'no')");
      await tail.waitFor(/PUT +notes +n1 .*body hello/, CHANGE_MS);
      await query(url, "DELETE FROM notes WHERE id = 'n1'");
      await tail.waitFor(/REMOVE +notes +n1/, CHANGE_MS);
      expect(tail.output).not.toContain('n2');
      expect(await tail.interrupt()).toBe(0);
      expect(await dev.interrupt()).toBe(0);
    },
  );

  test('wal_level needs a restart, and that is said', { timeout: 120_000 }, async () => {
    const dataDir = path.join(parent, 'replica');
    const settings = { wal_level: 'replica' };
    await using server = await LocalPostgres.start({ dataDir, fast: true, settings });
    const { code, output } = await runCommand(['doctor', '--db', server.url()]);
    expect(code).toBe(1);
    expect(output).toMatch(/ALTER SYSTEM SET wal_level/);
    expect(output).toMatch(/restart/);
  });

  test('an unreachable database is one clear paragraph', async () => {
    const { code, output } = await runCommand([
      'doctor',
      '--db',
      'postgresql://me:s3cret@127.0.0.1:1/x',
    ]);
    expect(code).toBe(1);
    expect(output).toMatch(/✗ /);
    expect(output).not.toMatch(/s3cret| at .*\.js/);
  });
});
