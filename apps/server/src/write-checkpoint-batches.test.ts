import { expect, it } from 'vitest';
import { WriteCheckpointBatches } from './write-checkpoint-batches.ts';

/** Writes down the order of what happens; reads of the head end when the test says so. */
function setUp() {
  const events: string[] = [];
  const heads: ((position: string) => void)[] = [];
  let value = 0n;
  const batches = new WriteCheckpointBatches({
    head: () => {
      events.push('head');
      return new Promise((resolve) => heads.push(resolve));
    },
    store: (user, head, id) => {
      events.push(`store ${user} ${head}${id === undefined ? '' : ` ${id}`}`);
      value = id ?? value + 1n;
      return Promise.resolve(value);
    },
    mark: () => {
      events.push('mark');
      return Promise.resolve();
    },
  });
  return { events, heads, batches };
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('stores before it marks, and requests that arrive together share head and mark', async () => {
  const { events, heads, batches } = setUp();
  const values = Promise.all([batches.create('a'), batches.create('b')]);
  await settle();
  heads[0]?.('p1');
  expect(await values).toEqual([1n, 2n]);
  expect(events).toEqual(['head', 'store a p1', 'store b p1', 'mark']);
});

it('stores what a client chose along with what is counted', async () => {
  const { events, heads, batches } = setUp();
  const values = Promise.all([batches.create('a', 42n), batches.create('b')]);
  await settle();
  heads[0]?.('p1');
  expect(await values).toEqual([42n, 43n]);
  expect(events).toEqual(['head', 'store a p1 42', 'store b p1', 'mark']);
});

it('never uses a head whose reading began before the request came', async () => {
  const { events, heads, batches } = setUp();
  const first = batches.create('a');
  await settle();
  const second = batches.create('b');
  heads[0]?.('p1');
  await first;
  await settle();
  expect(events.filter((event) => event === 'head')).toHaveLength(2);
  heads[1]?.('p2');
  await second;
  expect(events).toContain('store b p2');
});

it('has at most three batches under way; the rest share the next', async () => {
  const { events, heads, batches } = setUp();
  const all: Promise<bigint>[] = [];
  for (let i = 0; i < 6; i++) {
    all.push(batches.create(`u${i}`));
    await settle();
    await settle();
  }
  expect(events).toEqual(['head', 'head', 'head']);
  heads[0]?.('p');
  await settle();
  await settle();
  expect(events.filter((event) => event === 'head')).toHaveLength(4);
  for (const head of heads) head('p');
  expect(await Promise.all(all)).toHaveLength(6);
  expect(events.filter((event) => event === 'head')).toHaveLength(4);
});

it('hands a failure to everybody of the batch, and goes on with the next', async () => {
  let fails = true;
  const batches = new WriteCheckpointBatches({
    head: () => (fails ? Promise.reject(new Error('away')) : Promise.resolve('p')),
    store: () => Promise.resolve(1n),
    mark: () => Promise.resolve(),
  });
  const results = await Promise.allSettled([batches.create('a'), batches.create('b')]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect(await batches.create('c')).toBe(1n);
});
