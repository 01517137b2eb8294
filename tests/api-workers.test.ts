import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import { until } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runSluice } from './support/run-sluice.ts';
import { freePort, ServiceProcess } from './support/service-process.ts';
import { EVERYTHING, SmallWorld } from './support/small-world.ts';
import type { StreamClient } from './support/stream-client.ts';

const HOOK = path.resolve(import.meta.dirname, 'support/thread-hook.mjs');

/** Several API processes on one port (docs/decisions/2026-11-25-api-workers.md). */
let dir: string;
let postgres: LocalPostgres;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-workers-'));
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
});

afterAll(async () => {
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

const api = { workers: 3, tokens: ['admin'] };

async function startedWorld(
  database: string,
  config: Readonly<Record<string, unknown>> = { api },
  nodeOptions: readonly string[] = [],
): Promise<SmallWorld> {
  const world = await SmallWorld.create(postgres, { dir, database, config, nodeOptions });
  await world.seed();
  world.service.start();
  await world.service.untilReady();
  await until('all workers run', () => workersOf(world.service).length === 3);
  return world;
}

/** The processes that the service has started and that run now. */
function workersOf(service: ServiceProcess): number[] {
  const all = execFileSync('ps', ['-eo', 'pid=,ppid=,stat='], { encoding: 'utf8' });
  const rows = all.split('\n').map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([, parent, state]) => parent === `${service.pid}` && !state?.startsWith('Z'))
    .map(([pid]) => Number(pid));
}

async function synced(world: SmallWorld, count: number): Promise<StreamClient[]> {
  const clients = Array.from({ length: count }, () => world.connect());
  for (const client of clients) await world.expectSynced(client);
  return clients;
}

/** Over a connection of its own, so that it is another worker's turn each time. */
async function liveness({ service }: SmallWorld): Promise<number> {
  const headers = { connection: 'close' };
  return (await fetch(`${service.url}/probes/liveness`, { headers })).status;
}

async function admin(world: SmallWorld, route: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${world.service.url}${route}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: 'Token admin',
      'content-type': 'application/json',
      connection: 'close',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

describe('three API workers', () => {
  test('show every change to the clients of each, long before a poll would', async () => {
    await using world = await startedWorld('spread');
    const clients = await synced(world, 9);
    const delays: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      await world.note(`round-${round}`);
      const committedAt = performance.now();
      const hasIt = (client: StreamClient) => client.rows('notes').length === round + 2;
      await until('all clients have the row', () => clients.every(hasIt));
      delays.push(performance.now() - committedAt);
    }
    for (const client of clients) await world.expectSynced(client);
    expect(clients.map(({ connections }) => connections)).toEqual(clients.map(() => 1));
    // The poll of the storage is at 500 ms, so without announcements the median were 250 ms.
    expect(delays.toSorted((a, b) => a - b)[10]).toBeLessThan(120);
  });

  test('a write checkpoint taken by one reaches the clients of the others', async () => {
    await using world = await startedWorld('write_checkpoints');
    const clients = await synced(world, 6);
    for (let round = 0; round < 3; round += 1) {
      const response = await fetch(
        `${world.service.url}/write-checkpoint2.json?client_id=scripted`,
        {
          headers: { authorization: `Token ${world.issuer.token('ann')}`, connection: 'close' },
        },
      );
      const { data } = (await response.json()) as { data: { write_checkpoint: string } };
      const passed = ({ writeCheckpoint }: StreamClient) =>
        (writeCheckpoint ?? 0n) >= BigInt(data.write_checkpoint);
      await until('all clients have passed the write checkpoint', () => clients.every(passed));
    }
  });

  test('one that is killed comes back; its clients go on elsewhere, the others notice nothing', async () => {
    await using world = await startedWorld('killed');
    const clients = await synced(world, 9);
    const [victim = 0, ...others] = workersOf(world.service);
    process.kill(victim, 'SIGKILL');
    await world.note('after-the-kill');
    for (const client of clients) await world.expectSynced(client);
    // Connections are handed out in turn to those who are free: about three were the victim's.
    const moved = clients.filter(({ connections }) => connections > 1).length;
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(6);
    await world.service.untilLogged(/api_worker_ended .*SIGKILL/);
    await until('three run again', () => workersOf(world.service).length === 3);
    expect(workersOf(world.service)).toEqual(expect.arrayContaining(others));
    expect(await world.service.probe('liveness')).toBe(200);
    await synced(world, 3);
  });

  test('end with the main process, however it ends, and the next start goes on', async () => {
    await using world = await startedWorld('main_killed');
    const clients = await synced(world, 3);
    const workers = workersOf(world.service);
    await world.service.stop('SIGKILL');
    const isGone = (pid: number): boolean => {
      const state = execFileSync('sh', ['-c', `ps -o stat= -p ${pid} || true`], {
        encoding: 'utf8',
      });
      return state.trim() === '' || state.startsWith('Z');
    };
    await until('the workers have ended', () => workers.every(isGone));
    world.service.start();
    await world.service.untilReady();
    await world.note('after-the-restart');
    for (const client of clients) await world.expectSynced(client);
  });

  test('stop in order: all streams end, no process is left, exit code 0', async () => {
    await using world = await startedWorld('stopped');
    await synced(world, 6);
    const workers = workersOf(world.service);
    // As a terminal does: everybody in the group gets the signal.
    for (const pid of workers) process.kill(pid, 'SIGINT');
    expect(await world.service.stop('SIGTERM')).toBe(0);
    expect(world.service.log).not.toMatch(/stop_forced|stop_incomplete|api_worker_ended/);
    expect(world.service.log).toMatch(/service_stopped/);
    expect(workersOf(world.service)).toEqual([]);
  });

  test('serve on while the replicator thread dies, and get what its successor brings', async () => {
    await using world = await startedWorld('replicator_dies', { api }, ['--import', HOOK]);
    const clients = await synced(world, 6);
    world.service.signal('SIGHUP');
    await world.service.untilLogged(/replication_failed REPLICATION_STOPPED/);
    await world.note('after-its-end');
    for (const client of clients) await world.expectSynced(client);
    expect(clients.map(({ connections }) => connections)).toEqual(clients.map(() => 1));
    expect(workersOf(world.service)).toHaveLength(3);
    expect(world.service.log).not.toMatch(/api_worker_ended/);
  });

  test('serve on while the replicator thread hangs: each says so, and all catches up', async () => {
    await using world = await startedWorld('replicator_hangs', { api }, ['--import', HOOK]);
    const clients = await synced(world, 3);
    world.service.signal('SIGUSR2');
    await world.note('while-it-hangs');
    const late = world.connect();
    await until('served from storage', () => late.rows('notes').length === 1);
    // Probes are handed out in turn, so three of them ask all workers.
    const unwell = async () => {
      const codes = await Promise.all([1, 2, 3].map(() => liveness(world)));
      return codes.every((code) => code === 400);
    };
    await until('no worker is live', unwell);
    for (const client of [...clients, late]) await world.expectSynced(client);
    expect(clients.map(({ connections }) => connections)).toEqual([1, 1, 1]);
    await until('all are live', async () => (await liveness(world)) === 200);
    expect(world.service.log.match(/health_problem HEALTH_LOOP_STALLED/g)).toHaveLength(1);
  });

  test('are one service to an operator: metrics of all on one port, also after one has ended', async () => {
    const port = await freePort();
    const telemetry = { prometheus_port: port, canary_interval_seconds: 1 };
    await using world = await startedWorld('measured', { api, host: '127.0.0.1', telemetry });
    const metric = async (name: string): Promise<number> => {
      const text = await fetch(`http://127.0.0.1:${port}/metrics`).then((answer) => answer.text());
      const line = text.split('\n').find((one) => one.startsWith(`${name} `));
      return Number(line?.slice(name.length));
    };
    await synced(world, 6);
    const open = 'sluice_connections{transport="http"}';
    const sent = 'sluice_sync_operations_total';
    await until('all streams are counted', async () => (await metric(open)) === 6);
    expect(await metric(sent)).toBe(6);
    await until(
      'a canary has passed',
      async () => (await metric('sluice_canary_seconds_count')) > 0,
    );
    process.kill(workersOf(world.service)[0] ?? 0, 'SIGKILL');
    await world.service.untilLogged(/api_worker_ended/);
    expect(await metric(sent)).toBeGreaterThanOrEqual(6);
    await until('the streams are open again', async () => (await metric(open)) === 6);
  });

  test('take deploys, and answer the admin routes alike whichever is asked', async () => {
    await using world = await SmallWorld.create(postgres, {
      dir,
      database: 'deployed',
      config: { api, sync_config: undefined },
    });
    await world.seed();
    world.service.start();
    await world.service.untilLogged(/sync_config_awaited/);
    const route = '/api/sync-rules/v1/deploy';
    expect(await admin(world, route, { content: 'streams: {' })).toMatchObject({ status: 422 });
    expect(await admin(world, route, { content: EVERYTHING })).toMatchObject({ status: 200 });
    await world.service.untilReady();
    const clients = await synced(world, 6);
    const changed = EVERYTHING.replace('SELECT *', "SELECT id, 'new ' || body AS body");
    expect(await admin(world, '/api/admin/v1/plan', { sync_rules: changed })).toMatchObject({
      data: { clients: 6 },
    });
    expect(await admin(world, route, { content: changed })).toMatchObject({ status: 200 });
    const isNew = (client: StreamClient) =>
      client.rows('notes')[0]?.['body'] === 'new body of first';
    await until('all have the new rows', () => clients.every(isNew));
    const answers = [];
    for (let asked = 0; asked < 3; asked += 1) {
      answers.push(await admin(world, '/api/sync-rules/v1/current'));
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });
});

test('a port that is taken is told once, and ends the start', async () => {
  await using world = await startedWorld('taken');
  const other = await ServiceProcess.create({
    dir: await mkdtemp(path.join(dir, 'other-')),
    databaseUrl: postgres.url('taken'),
    syncConfig: EVERYTHING,
    issuer: world.issuer,
    port: world.service.port,
    config: { api },
  });
  other.start();
  expect(await other.untilEnded()).toBe(1);
  expect(other.log.match(/API_LISTEN_FAILED/g)).toHaveLength(1);
});

test.each([
  ['65', 'must be at most 64'],
  ['many', 'expected a number, found text'],
])('api.workers: %s is refused with its line and why', async (workers, why) => {
  const cwd = await mkdtemp(path.join(dir, 'refused-'));
  const lines = ['storage: { type: sqlite, path: storage.db }', `api: { workers: ${workers} }`];
  await writeFile(path.join(cwd, 'service.yaml'), lines.join('\n'));
  const { code, output } = await runSluice(['start', '--config', 'service.yaml'], { cwd });
  expect(output).toContain(`service.yaml:2:17 CONFIG_INVALID_VALUE api.workers: ${why}`);
  expect(code).toBe(1);
});
