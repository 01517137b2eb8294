import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import { until } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from './support/service-process.ts';
import { SmallWorld } from './support/small-world.ts';
import { StallingProxy } from './support/stalling-proxy.ts';
import { StreamClient } from './support/stream-client.ts';

/** Each part of the whole is stopped in turn: health says so, the rest goes on, all catches up. */
let dir: string;
let postgres: LocalPostgres;
const POSTGRES = { fast: true, settings: { max_slot_wal_keep_size: '128MB' } };

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-stalls-'));
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), ...POSTGRES });
});

afterAll(async () => {
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

const HOOK = path.resolve(import.meta.dirname, 'support/thread-hook.mjs');

interface Measured {
  readonly world: SmallWorld;
  /** The value of a metric, with its label if it has one; undefined when it is not there. */
  readonly metric: (name: string) => Promise<number | undefined>;
}

async function measuredWorld(
  database: string,
  api: Readonly<Record<string, unknown>> = {},
): Promise<Measured> {
  const port = await freePort();
  const world = await SmallWorld.create(postgres, {
    dir,
    database,
    nodeOptions: ['--import', HOOK],
    config: {
      host: '127.0.0.1',
      api,
      telemetry: { prometheus_port: port, canary_interval_seconds: 1 },
    },
  });
  await world.seed();
  const metric = async (name: string) => {
    const text = await fetch(`http://127.0.0.1:${port}/metrics`).then((answer) => answer.text());
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length));
  };
  return { world, metric };
}

/** Components that are unwell. */
async function problems({ service }: SmallWorld): Promise<readonly string[]> {
  const body = (await (await fetch(`${service.url}/probes/liveness`)).json()) as {
    readonly problems: readonly { readonly component: string }[];
  };
  return body.problems.map(({ component }) => component);
}

async function untilWell(world: SmallWorld): Promise<void> {
  await until('health is well', async () => (await problems(world)).length === 0, 20_000);
}

test('the network of a client stops: its stream waits, others are served, and it catches up', async () => {
  const { world, metric } = await measuredWorld('network');
  await using _ = world;
  const other = await world.start();
  await using proxy = await StallingProxy.listen(world.service.port);
  const token = () => world.issuer.token('ann');
  await using stalled = new StreamClient({ url: proxy.url, token });
  await world.expectSynced(stalled);
  await world.expectSynced(other);
  expect(await metric('sluice_connections{transport="http"}')).toBe(2);

  proxy.stall();
  // More than sockets hold on the way.
  await world.sql(
    `INSERT INTO notes SELECT 'n' || i, repeat('x', 100000) FROM generate_series(1, 200) i`,
  );
  await until('the other has it all', () => other.operations === 201);
  // The last operation comes before the line that completes the checkpoint.
  await until('the other has completed it', () => (other.completed ?? 0n) > 1n);
  expect(stalled.completed).toBeLessThan(other.completed ?? 0n);
  await world.note('beside it');
  await until('the other has this too', () => other.operations === 202);
  expect(await world.service.probe('liveness')).toBe(200);
  expect(await world.service.probe('readiness')).toBe(200);

  proxy.goOn();
  await until('it has all', () => stalled.completed === other.completed);
  await world.expectSynced(stalled);
  expect(stalled.connections, 'nothing had to be begun anew').toBe(1);
}, 60_000);

/** The postmaster, and what it has started. */
async function serverProcesses(world: SmallWorld): Promise<readonly number[]> {
  const file = await readFile(path.join(dir, 'postgres', 'postmaster.pid'), 'utf8');
  const rows = await world.sql('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
  return [Number(file.split('\n', 1)[0]), ...rows.map((row) => Number(row['pid']))];
}

describe('the database', () => {
  test('stands still: health names the source, clients are served from storage, and it goes on by itself', async () => {
    const { world, metric } = await measuredWorld('stopped');
    await using _ = world;
    const client = await world.start();
    await world.expectSynced(client);
    await until(
      'a canary has arrived',
      async () => ((await metric('sluice_canary_seconds_count')) ?? 0) > 0,
    );
    expect(await problems(world)).toEqual([]);
    const pids = await serverProcesses(world);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      await until(
        'health names it',
        async () => (await problems(world)).includes('source'),
        25_000,
      );
      await until('the canary is lost', async () => (await problems(world)).includes('canary'));
      await world.service.untilLogged(/health_problem SOURCE_TIMEOUT: .*component=source/);
      expect(await metric('sluice_health_problem{component="source"}')).toBe(1);
      expect(await world.service.probe('liveness'), 'a restart would not help').toBe(200);
      expect(await world.service.probe('readiness')).toBe(200);
      const late = world.connect();
      await until('served from storage', () => late.rows('notes').length === 1);
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
    await world.note('after it');
    await world.expectSynced(client);
    await untilWell(world);
    await world.service.untilLogged(/health_recovered.*component=source/);
    expect(client.connections).toBe(1);
  }, 60_000);

  test('is stopped: health names replication and its code, and it goes on by itself', async () => {
    const { world, metric } = await measuredWorld('gone');
    await using _ = world;
    const client = await world.start();
    await world.expectSynced(client);
    await postgres.stop('immediate');
    await until('health names it', async () => (await problems(world)).includes('replication'));
    expect(await metric('sluice_replicator_state{state="waiting"}')).toBe(1);
    const unreachable = 'sluice_errors_total{code="SOURCE_UNREACHABLE"}';
    const lost = 'sluice_errors_total{code="SOURCE_CONNECTION_LOST"}';
    expect(((await metric(unreachable)) ?? 0) + ((await metric(lost)) ?? 0)).toBeGreaterThan(0);
    expect(await world.service.probe('readiness')).toBe(200);
    postgres = await LocalPostgres.start({
      dataDir: path.join(dir, 'postgres'),
      ...POSTGRES,
      port: postgres.port,
    });
    await world.note('after it');
    await world.expectSynced(client);
    await untilWell(world);
    expect(client.connections).toBe(1);
  }, 60_000);
});

describe('the change log that the database keeps for the slot', () => {
  const LIMIT_BYTES = 128 * 1024 * 1024; // as in POSTGRES
  const SEGMENT_BYTES = 16 * 1024 * 1024;

  /** A transaction that stays open keeps the slot where it is; every switch uses up a segment. */
  async function useUp(world: SmallWorld, segments: number): Promise<void> {
    for (let i = 0; i < segments; i += 1) {
      await world.sql(
        `SELECT pg_logical_emit_message(true, 'fill', 'up')`,
        'SELECT pg_switch_wal()',
      );
    }
  }

  async function diagnosed(world: SmallWorld): Promise<readonly string[]> {
    const answer = await fetch(`${world.service.url}/api/admin/v1/diagnostics`, {
      method: 'POST',
      headers: { authorization: 'Bearer operator' },
    });
    const { data } = (await answer.json()) as {
      data: { active_sync_rules: { errors: { level: string; message: string }[] } };
    };
    const errors = data.active_sync_rules.errors.filter(({ message }) =>
      message.includes('max_slot_wal_keep_size'),
    );
    return errors.map(({ level }) => level);
  }

  test('runs short, then out: health, metrics, logs and diagnostics say so before the slot is lost, and are well again afterwards', async () => {
    const { world, metric } = await measuredWorld('log_budget', { tokens: ['operator'] });
    await using _ = world;
    const client = await world.start();
    await world.expectSynced(client);
    const [slot] = await world.slots();
    await until(
      'the limit is known',
      async () => (await metric('sluice_source_log_limit_bytes')) === LIMIT_BYTES,
      20_000,
    );
    expect(await metric('sluice_source_log_left_bytes')).toBeGreaterThan(LIMIT_BYTES / 2);
    expect([await problems(world), await diagnosed(world)]).toEqual([[], []]);

    await using held = await world.holdUp();
    await useUp(world, 5);
    await world.service.untilLogged(
      /warn +health_problem SOURCE_LOG_BUDGET_LOW.*component=log_budget/,
    );
    const left = (await metric('sluice_source_log_left_bytes')) ?? 0;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(LIMIT_BYTES / 2);
    expect([await problems(world), await diagnosed(world)]).toEqual([['log_budget'], ['warning']]);

    await useUp(world, Math.floor(left / SEGMENT_BYTES));
    await world.service.untilLogged(
      /error +health_problem SOURCE_LOG_BUDGET_SPENT.*component=log_budget/,
    );
    expect(await metric('sluice_source_log_left_bytes')).toBeLessThanOrEqual(0.15 * LIMIT_BYTES);
    expect([await problems(world), await diagnosed(world)]).toEqual([['log_budget'], ['fatal']]);
    // It is an alarm, not a stall: clients are served, and a restart would not help.
    await world.note('meanwhile');
    await world.expectSynced(client);
    expect(await world.service.probe('liveness')).toBe(200);
    expect(await world.service.probe('readiness')).toBe(200);

    await held.release();
    // What the server writes about its running transactions lets the slot go on.
    await until('the log is let go of', async () => {
      await world.sql('CHECKPOINT', `SELECT pg_logical_emit_message(true, 'go', 'on')`);
      return (await problems(world)).length === 0;
    });
    await world.service.untilLogged(/health_recovered.*component=log_budget/);
    expect(await metric('sluice_source_log_left_bytes')).toBeGreaterThan(LIMIT_BYTES / 2);
    expect(await diagnosed(world)).toEqual([]);
    await world.note('after it');
    await world.expectSynced(client);
    expect([await world.slots(), client.connections], 'the slot was not lost').toEqual([[slot], 1]);
  }, 90_000);
});

describe('the replicator thread', () => {
  test('dies: another one takes over, and clients keep their streams', async () => {
    const { world } = await measuredWorld('dies');
    await using _ = world;
    const client = await world.start();
    await world.expectSynced(client);
    world.service.signal('SIGHUP');
    await world.service.untilLogged(/replication_failed REPLICATION_STOPPED/);
    await world.note('after it');
    await world.expectSynced(client);
    await untilWell(world);
    expect(client.connections).toBe(1);
  }, 60_000);

  test('is held up: liveness fails, clients are served from storage, and it goes on by itself', async () => {
    const { world, metric } = await measuredWorld('blocked');
    await using _ = world;
    const client = await world.start();
    await world.expectSynced(client);
    world.service.signal('SIGUSR2');
    await world.note('meanwhile');
    await until('liveness fails', async () => (await world.service.probe('liveness')) === 400);
    expect(await problems(world)).toContain('replicator');
    expect(await world.service.probe('readiness')).toBe(200);
    expect(await metric('sluice_replicator_silence_seconds')).toBeGreaterThanOrEqual(10);
    const late = world.connect();
    await until('served from storage', () => late.rows('notes').length === 1);
    await world.expectSynced(client);
    await untilWell(world);
    expect(await world.service.probe('liveness')).toBe(200);
    expect(client.connections).toBe(1);
  }, 60_000);
});

test('a restart in the midst of a download ends the stream between lines, and nothing is downloaded twice', async () => {
  const { world } = await measuredWorld('restart');
  await using _ = world;
  await world.sql(
    `INSERT INTO notes SELECT 'n' || i, repeat('x', 10000) FROM generate_series(1, 2000) i`,
  );
  world.service.start();
  await world.service.untilReady();
  await using proxy = await StallingProxy.listen(world.service.port);
  const token = () => world.issuer.token('ann');
  let hasStalled = false;
  const onOps = (received: number) => {
    if (received <= 100 || hasStalled) return;
    hasStalled = true;
    proxy.stall();
  };
  await using client = new StreamClient({ url: proxy.url, token, onOps });
  await until('the download has begun', () => hasStalled);
  const ended = world.service.stop('SIGTERM');
  await world.service.untilLogged(/service_stopping/);
  proxy.goOn();
  expect(await ended).toBe(0);
  expect(world.service.log).toMatch(/stream_closed.*reason=shutting_down.*opsSent=\d+/);
  expect(client.completed, 'it was in the midst of its first checkpoint').toBeUndefined();
  expect(client.operations).toBeLessThan(2001);

  world.service.start();
  await until('it has all', () => client.completed !== undefined);
  await world.expectSynced(client);
  expect(client.operations).toBe(2001);
}, 60_000);

test('logs say how each connection ended, and name no token or password', async () => {
  const { world, metric } = await measuredWorld('logs');
  await using _ = world;
  const tokens: string[] = [];
  await world.start();
  const token = () => {
    const issued = world.issuer.token('ann');
    tokens.push(issued);
    return issued;
  };
  const request = { app_metadata: { app: 'notes', version: '1.2' } };
  {
    await using client = new StreamClient({ url: world.service.url, token, request });
    await world.expectSynced(client);
  }
  const line = await world.service.untilLogged(/stream_closed .*reason=client_left.*/);
  expect(line).toMatch(/linesSent=\d+ opsSent=1 bytesSent=\d+/);
  expect(line).toMatch(/openMs=\d+/);
  expect(line).toContain('1.2');
  expect(await metric('sluice_connections_closed_total{reason="client_left"}')).toBeGreaterThan(0);
  expect(await metric('sluice_sync_operations_total')).toBeGreaterThan(0);
  const { password } = new URL(postgres.url('logs'));
  for (const secret of [...tokens, password].filter((text) => text.length > 3)) {
    expect(world.service.log).not.toContain(secret);
  }
}, 60_000);
