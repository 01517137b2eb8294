import { SeededRandom } from '@sluice/testing';
import { expect, test } from 'vitest';
import type { CrudEntry } from '../../crud/crud-entry.ts';
import { SessionWorld } from '../../testing/session-world.ts';
import { SimulatedBuckets, type ServiceForm } from '../../testing/simulated-buckets.ts';

const FIRST_SEED = Number(process.env['SLUICE_TEST_SEED'] ?? 20261125);
const SEEDS = Array.from({ length: 12 }, (_, index) => FIRST_SEED + index);
const STEPS = 150;
const IDS = Array.from({ length: 12 }, (_, n) => `row-${n}`);

/** Codes of what has failed. */
const failures = new Set<string | undefined>();

/** A client, a service and their network, of which anything may fail at any step. */
class Chaos {
  readonly world = new SessionWorld();
  readonly random: SeededRandom;
  readonly buckets: SimulatedBuckets;
  #isBackendDown = false;
  #counter = 0;

  constructor(seed: number, form: ServiceForm) {
    this.random = new SeededRandom(seed);
    this.buckets = new SimulatedBuckets(this.random, form);
    this.world.uploadData = async (queue) => {
      if (this.#isBackendDown) throw new Error('The backend is down');
      const transaction = queue.nextTransaction();
      for (const entry of transaction?.crud ?? []) this.#apply(entry);
      if (this.random.chance(0.2)) throw new Error('The answer got lost');
      transaction?.complete();
    };
  }

  async step(): Promise<void> {
    const { world, random } = this;
    const actions: (() => unknown)[] = [
      () => this.buckets.put(random.pick(IDS), this.#name()),
      () => this.buckets.remove(random.pick(IDS)),
      () => this.#writeLocally(),
      () => this.#writeLocally(),
      () => this.pump(random.int(8), random.chance(0.3)),
      () => this.pump(random.int(8), false),
      () => this.pump(random.int(8), false),
      () => world.session.hint(),
      () => (this.#isBackendDown = random.chance(0.3)),
      () => (world.service.down = random.chance(0.3)),
      () => world.service.refusals.push(random.chance(0.3) ? undefined : random.pick([401, 500])),
      () => this.#onStream((stream) => (random.chance(0.5) ? stream.fail() : stream.end())),
      () =>
        this.#onStream((stream) => stream.send({ token_expires_in: random.pick([0, 20, 3600]) })),
      () => world.streams.subscribe([{ name: `s${random.int(4)}`, ttl: 5 }])[0]?.unsubscribe(),
      () => this.#breakDatabase(),
      () => this.#leave(),
    ];
    await random.pick(actions)();
    await world.clock.advance(random.pick([0, 5, 20, 500, 3_000, random.chance(0.2) ? 50_000 : 0]));
  }

  /** Sends lines on the open stream, and gives the client time for each. */
  async pump(lines: number, damage: boolean): Promise<void> {
    const { service, clock } = this.world;
    for (let sent = 0; sent < lines; sent += 1) {
      const stream = service.streams.at(-1);
      if (stream === undefined || stream.closed) return;
      if (!this.buckets.pump(stream, service.writeCheckpoint, damage)) return;
      await clock.advance(this.random.pick([0, 20]));
    }
  }

  /** Everything works again: after a while nothing is left to do. */
  async heal(): Promise<void> {
    const { world } = this;
    this.#isBackendDown = false;
    world.service.down = false;
    world.service.refusals.length = 0;
    world.session.connect(world.connectOptions());
    for (let second = 0; second < 60; second += 1) {
      world.session.hint();
      await world.clock.advance(1_000);
      await this.pump(1_000, false);
    }
  }

  #apply({ op, id, opData }: CrudEntry): void {
    // The backend has a rule of its own.
    if (opData?.['name'] === 'refused') return;
    if (op === 'DELETE') this.buckets.remove(id);
    else if (op === 'PUT' || this.buckets.rows.has(id)) {
      this.buckets.put(id, String(opData?.['name']));
    }
  }

  #writeLocally(): void {
    const id = this.random.pick(IDS);
    const name = this.random.chance(0.2) ? 'refused' : this.#name();
    const sql = this.random.pick([
      `INSERT INTO lists (id, name) VALUES ('${id}', '${name}') ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
      `UPDATE lists SET name = '${name}' WHERE id = '${id}'`,
      `DELETE FROM lists WHERE id = '${id}'`,
    ]);
    this.world.write(sql);
  }

  #onStream(body: (stream: SessionWorld['service']['stream']) => void): void {
    const stream = this.world.service.streams.at(-1);
    if (stream !== undefined && !stream.closed) body(stream);
  }

  async #breakDatabase(): Promise<void> {
    const { connection } = this.world.database;
    const table = this.random.pick(['sluice_staged', 'sluice_bucket', 'sluice_stream']);
    connection.exec(`ALTER TABLE ${table} RENAME TO broken`);
    await this.pump(5, false);
    await this.world.clock.advance(20);
    connection.exec(`ALTER TABLE broken RENAME TO ${table}`);
  }

  /** Pauses, disconnects, or is restarted. */
  async #leave(): Promise<void> {
    const { world, random } = this;
    if (random.chance(0.3)) {
      await world.session.pause();
      await world.clock.advance(1_000);
      world.session.resume();
      return;
    }
    await world.session.disconnect();
    if (random.chance(0.5)) world.newSession();
    await world.connect();
  }

  #name(): string {
    this.#counter += 1;
    return `name ${this.#counter}`;
  }
}

test.each([
  ...SEEDS.map((seed) => ['current', seed] as const),
  ...SEEDS.map((seed) => ['legacy', seed] as const),
])(
  'whatever fails, the client of a %s service ends with what that has (seed %s)',
  async (form, seed) => {
    const chaos = new Chaos(seed, form);
    const { world } = chaos;
    await world.connect();
    for (let step = 0; step < STEPS; step += 1) {
      await chaos.step();
      const open = world.service.streams.filter((stream) => !stream.closed);
      expect(open.length).toBeLessThanOrEqual(1);
    }
    await chaos.heal();
    const expected = [...chaos.buckets.rows].toSorted(([a], [b]) => (a < b ? -1 : 1));
    expect(world.database.query('SELECT id, name FROM lists ORDER BY id')).toEqual(expected);
    expect(world.created.queue.batch()).toBeUndefined();
    expect(world.database.query('SELECT count(*) FROM sluice_staged')).toEqual([[0]]);
    expect(world.status).toMatchObject({
      connected: true,
      uploading: false,
      downloading: false,
      downloadError: undefined,
      uploadError: undefined,
    });
    await world.session.disconnect();
    for (const { downloadError, uploadError } of world.statuses) {
      failures.add(downloadError?.code).add(uploadError?.code);
    }
  },
);

test('and each kind of failure did happen', () => {
  const kinds = [
    'CHECKSUM',
    'STORE',
    'NETWORK',
    'SERVICE',
    'UNAUTHORIZED',
    'STREAM_SILENT',
    'UPLOAD',
  ];
  expect([...failures]).toEqual(expect.arrayContaining(kinds));
});
