import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { silentLogger } from '@sluice/base';
import type { LocalPostgres } from '@sluice/local-postgres';
import { ScratchPostgres, until } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Follower, TestDatabase } from '../testing/test-source.ts';

let scratch: ScratchPostgres;
let server: LocalPostgres;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  server = scratch.server;
});

afterAll(() => scratch?.[Symbol.asyncDispose]());

/** A network in front of the server that can swallow everything without closing anything. */
class Network implements AsyncDisposable {
  readonly #listener = createServer((socket) => this.#join(socket));
  readonly #sockets = new Set<Socket>();
  readonly #targetPort: number;
  port = 0;
  /** How often something has come from the server. */
  received = 0;
  isDead = false;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  async open(): Promise<void> {
    this.#listener.listen(0, '127.0.0.1');
    await once(this.#listener, 'listening');
    const address = this.#listener.address();
    this.port = typeof address === 'object' && address ? address.port : 0;
  }

  #join(near: Socket): void {
    const far = connect(this.#targetPort, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (bytes) => {
        if (from === far) this.received += 1;
        if (!this.isDead) to.write(bytes);
      });
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#listener.close(resolve));
  }
}

async function throughNetwork(network: Network, database: TestDatabase) {
  await network.open();
  return TestDatabase.create(server, {
    publication: '',
    uri: database.url.replace(`:${server.port}/`, `:${network.port}/`),
    streamTimeoutMs: 2000,
    queryTimeoutMs: 300,
    connectTimeoutMs: 300,
    snapshotTimeoutMs: 500,
  });
}

test('a stream over a network that swallows everything ends with a timeout', async () => {
  await using database = await TestDatabase.create(server);
  const network = new Network(server.port);
  await using far = await throughNetwork(network, database);
  await using replication = await far.source.openReplication({
    generationId: 1,
    handle: undefined,
  });
  await using follower = new Follower(replication);
  await until('the stream runs', () => follower.position !== '');
  network.isDead = true;
  await until('the stream fails', () => follower.error);
  expect(follower.error).toMatchObject({ code: 'SOURCE_TIMEOUT', retryable: true });
  await network[Symbol.asyncDispose]();
  await database.source.dropReplication(replication.handle);
});

test('an idle stream goes on, because the server answers when it is asked', async () => {
  await using database = await TestDatabase.create(server);
  await using network = new Network(server.port);
  await using far = await throughNetwork(network, database);
  await using replication = await far.source.openReplication({
    generationId: 1,
    handle: undefined,
  });
  await using follower = new Follower(replication);
  await until('the stream runs', () => follower.position !== '');
  const { received } = network;
  await until('four answers have come, one each second', () => network.received >= received + 4);
  expect(follower.error).toBeUndefined();
  await database.source.dropReplication(replication.handle);
});

test('a server process that is busy for longer than the time limit is waited for', async () => {
  const events: string[] = [];
  const logger = { ...silentLogger, warn: (event: string) => void events.push(event) };
  await using database = await TestDatabase.create(server, { streamTimeoutMs: 1000, logger });
  await database.sql('CREATE TABLE item (id int PRIMARY KEY)');
  await using replication = await database.source.openReplication({
    generationId: 1,
    handle: undefined,
  });
  await using follower = new Follower(replication);
  await until('the stream runs', () => follower.position !== '');
  const [slot] = await database.sql<{ pid: number }>(
    'SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = $1',
    [replication.handle],
  );
  const pid = slot?.pid ?? 0;
  expect(pid).toBeGreaterThan(1);
  process.kill(pid, 'SIGSTOP');
  try {
    await until('the silence is noticed', () => events.includes('source_stream_silent'));
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await database.sql('INSERT INTO item VALUES (1)');
  await until('the stream goes on', () => follower.changes().length === 2);
  expect(follower.error).toBeUndefined();
});

test('a snapshot over a network that swallows everything ends with a timeout', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY, body text)');
  await database.sql(
    `INSERT INTO item SELECT i, repeat('x', 500) FROM generate_series(1, 100000) i`,
  );
  const network = new Network(server.port);
  await using far = await throughNetwork(network, database);
  await using replication = await far.source.openReplication({
    generationId: 1,
    handle: undefined,
  });
  const [table] = await replication.listTables([
    { schema: 'public', name: 'item', nameIsPrefix: false, schemaIsPrefix: false },
  ]);
  if (!table) throw new Error('No table');
  const { chunks } = await replication.snapshot(table, {
    progress: undefined,
    signal: AbortSignal.timeout(20_000),
  });
  const read = async () => {
    for await (const _ of chunks) network.isDead = true;
  };
  await expect(read()).rejects.toMatchObject({ code: 'SOURCE_TIMEOUT' });
  await network[Symbol.asyncDispose]();
  await database.source.dropReplication(replication.handle);
});

test('a server that shuts down while it streams does so, and the stream says that it ended', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY)');
  await using replication = await database.source.openReplication({
    generationId: 1,
    handle: undefined,
  });
  await using follower = new Follower(replication);
  await database.sql('INSERT INTO item VALUES (1)');
  await until('the stream runs', () => follower.changes().length > 1);
  const acknowledging = setInterval(() => replication.acknowledge(follower.position), 50);
  await server.stop('fast');
  clearInterval(acknowledging);
  await until('the stream fails', () => follower.error);
  expect(follower.error).toMatchObject({ code: 'SOURCE_CONNECTION_LOST', retryable: true });
});
