import { describe, expect, test } from 'vitest';
import { SessionWorld } from '../../testing/session-world.ts';

interface Bucket {
  readonly name: string;
  readonly priority: number;
  /** Operations on rows of `lists`: a name, or null for a removal. */
  readonly ops: readonly (readonly [opId: number, id: string, name: string | null])[];
}

const CHECKSUM = 7;

/** A service of which only what it sends is said. */
class PriorityWorld {
  readonly world = new SessionWorld();
  readonly #buckets = new Map<string, Bucket>();

  async connect(): Promise<void> {
    this.world.uploadData = () => Promise.reject(new Error('the backend is down'));
    await this.world.connect();
  }

  /** A checkpoint with everything said so far and these buckets. */
  async checkpoint(...buckets: readonly Bucket[]): Promise<void> {
    for (const bucket of buckets) this.#buckets.set(bucket.name, bucket);
    const described = [...this.#buckets.values()].map(({ name, priority, ops }) => ({
      bucket: name,
      checksum: CHECKSUM * ops.length,
      count: ops.length,
      priority,
      subscriptions: [],
    }));
    await this.world.send({
      checkpoint: { last_op_id: this.#last(), buckets: described, streams: [] },
    });
  }

  async data(name: string, after = 0): Promise<void> {
    const ops = this.#buckets.get(name)?.ops.filter(([opId]) => opId > after) ?? [];
    const data = ops.map(([opId, id, text]) => ({
      op_id: String(opId),
      op: text === null ? 'REMOVE' : 'PUT',
      object_type: 'lists',
      object_id: id,
      subkey: id,
      checksum: CHECKSUM,
      data: text === null ? null : JSON.stringify({ id, name: text }),
    }));
    await this.world.send({ data: { bucket: name, data } });
  }

  async complete(priority?: number): Promise<void> {
    const last_op_id = this.#last();
    await this.world.send(
      priority === undefined
        ? { checkpoint_complete: { last_op_id } }
        : { partial_checkpoint_complete: { last_op_id, priority } },
    );
    expect(this.world.status.downloadError).toBeUndefined();
  }

  get rows(): unknown {
    return Object.fromEntries(
      this.world.database.query('SELECT id, name FROM lists') as [string, unknown][],
    );
  }

  #last(): string {
    const ids = [...this.#buckets.values()].flatMap(({ ops }) => ops.map(([opId]) => opId));
    return String(Math.max(...ids));
  }
}

async function connected(): Promise<PriorityWorld> {
  const world = new PriorityWorld();
  await world.connect();
  return world;
}

// spec/client.md 3.5, 4.6, 4.7, 9
describe('while a local write waits for its upload', () => {
  test.each([
    [0, { a: 'server', mine: 'local' }],
    [1, { mine: 'local' }],
  ])('a partial checkpoint of priority %i shows %j', async (priority, rows) => {
    const service = await connected();
    service.world.write(`INSERT INTO lists (id, name) VALUES ('mine', 'local')`);
    await service.checkpoint(
      { name: 'first', priority, ops: [[1, 'a', 'server']] },
      { name: 'second', priority: 3, ops: [[2, 'b', 'server']] },
    );
    await service.data('first');
    await service.complete(priority);
    expect(service.rows).toEqual(rows);
    await service.data('second');
    await service.complete();
    expect(service.rows).toEqual(rows);
  });
});

test('a partial checkpoint takes away what its buckets no longer have, and nothing else', async () => {
  const service = await connected();
  const urgent: Bucket = {
    name: 'urgent',
    priority: 1,
    ops: [
      [1, 'a', 'A'],
      [2, 'b', 'B'],
    ],
  };
  const later: Bucket = { name: 'later', priority: 3, ops: [[3, 'c', 'C']] };
  await service.checkpoint(urgent, later);
  await service.data('urgent');
  await service.data('later');
  await service.complete();
  expect(service.rows).toEqual({ a: 'A', b: 'B', c: 'C' });
  await service.checkpoint(
    { ...urgent, ops: [...urgent.ops, [4, 'a', null]] },
    { ...later, ops: [...later.ops, [5, 'c', null]] },
  );
  await service.data('urgent', 2);
  await service.data('later', 3);
  await service.complete(1);
  expect(service.rows).toEqual({ b: 'B', c: 'C' });
  await service.complete();
  expect(service.rows).toEqual({ b: 'B' });
});

describe('a row in buckets of two priorities', () => {
  const urgent = (...ops: Bucket['ops']): Bucket => ({ name: 'urgent', priority: 1, ops });
  const later = (...ops: Bucket['ops']): Bucket => ({ name: 'later', priority: 3, ops });

  test('shows the newest that is complete', async () => {
    const service = await connected();
    await service.checkpoint(urgent([1, 'a', 'old']), later([2, 'a', 'new']));
    await service.data('urgent');
    await service.data('later');
    await service.complete(1);
    expect(service.rows).toEqual({ a: 'old' });
    await service.complete();
    expect(service.rows).toEqual({ a: 'new' });
  });

  test('stays while one of them has it', async () => {
    const service = await connected();
    await service.checkpoint(urgent([1, 'a', 'A']), later([2, 'a', 'A']));
    await service.data('urgent');
    await service.data('later');
    await service.complete();
    await service.checkpoint(urgent([1, 'a', 'A'], [3, 'a', null]), later([2, 'a', 'A']));
    await service.data('urgent', 1);
    await service.complete(1);
    expect(service.rows).toEqual({ a: 'A' });
    await service.complete();
    await service.checkpoint(
      urgent([1, 'a', 'A'], [3, 'a', null]),
      later([2, 'a', 'A'], [4, 'a', null]),
    );
    await service.data('later', 2);
    await service.complete();
    expect(service.rows).toEqual({});
  });

  test('does not go back to an older state that an urgent bucket brings later', async () => {
    const service = await connected();
    await service.checkpoint(later([2, 'a', 'new']));
    await service.data('later');
    await service.complete();
    await service.checkpoint(urgent([1, 'a', 'old']), later([2, 'a', 'new']));
    await service.data('urgent');
    await service.complete(1);
    expect(service.rows).toEqual({ a: 'new' });
    await service.complete();
    expect(service.rows).toEqual({ a: 'new' });
  });
});
