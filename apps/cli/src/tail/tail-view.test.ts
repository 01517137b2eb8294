import { parseLine, putChecksum, removeChecksum, type Line } from '@sluice/protocol';
import { must } from '@sluice/base';
import { expect, test } from 'vitest';
import { TailView } from './tail-view.ts';

/** The session of spec/protocol.md 11.5. */
const SESSION = [
  String.raw`{"checkpoint":{"last_op_id":"3","buckets":[{"bucket":"7#lists|0[\"u1\"]","checksum":-607037875,"count":1,"priority":1,"subscriptions":[{"default":0}]},{"bucket":"7#todos|0[\"L1\"]","checksum":-1739258475,"count":2,"priority":3,"subscriptions":[{"sub":0}]}],"streams":[{"name":"lists","is_default":true,"errors":[]},{"name":"todos","is_default":false,"errors":[]}]}}`,
  String.raw`{"data":{"bucket":"7#lists|0[\"u1\"]","after":"0","has_more":false,"data":[{"op_id":"1","op":"PUT","object_type":"lists","object_id":"L1","checksum":3687929421,"subkey":"T-lists/11111111-1111-5111-8111-111111111111","data":"{\"id\":\"L1\",\"name\":\"Groceries\",\"owner_id\":\"u1\"}"}],"next_after":"1"}}`,
  String.raw`{"partial_checkpoint_complete":{"last_op_id":"3","priority":1}}`,
  String.raw`{"data":{"bucket":"7#todos|0[\"L1\"]","after":"0","has_more":false,"data":[{"op_id":"2","op":"PUT","object_type":"todos","object_id":"T1","checksum":3603514498,"subkey":"T-todos/21111111-1111-5111-8111-111111111111","data":"{\"id\":\"T1\",\"list_id\":\"L1\",\"title\":\"Milk\",\"qty\":2}"},{"op_id":"3","op":"PUT","object_type":"todos","object_id":"T2","checksum":3247161619,"subkey":"T-todos/22222222-2222-5222-8222-222222222222","data":"{\"id\":\"T2\",\"list_id\":\"L1\",\"title\":\"Bread\",\"qty\":1}"}],"next_after":"3"}}`,
  String.raw`{"checkpoint_complete":{"last_op_id":"3"}}`,
  String.raw`{"token_expires_in":3540}`,
  String.raw`{"checkpoint_diff":{"last_op_id":"4","write_checkpoint":"1","removed_buckets":[],"updated_buckets":[{"bucket":"7#todos|0[\"L1\"]","checksum":-611357420,"count":3,"priority":3,"subscriptions":[{"sub":0}]}]}}`,
  String.raw`{"data":{"bucket":"7#todos|0[\"L1\"]","after":"3","has_more":false,"data":[{"op_id":"4","op":"REMOVE","object_type":"todos","object_id":"T1","checksum":1127901055,"subkey":"T-todos/21111111-1111-5111-8111-111111111111","data":null}],"next_after":"4"}}`,
  String.raw`{"checkpoint_complete":{"last_op_id":"4"}}`,
].map((text) => must(parseLine(JSON.parse(text))));

test('follows the session of the specification', () => {
  const view = new TailView();
  const events = SESSION.map((line) => view.apply(line).filter((e) => e.kind !== 'buckets'));
  expect(events.slice(0, 4).flat()).toEqual([]);
  expect(events[4]?.map((event) => event.kind)).toEqual(['change', 'change', 'change', 'synced']);
  expect(events[4]?.at(-1)).toEqual({
    kind: 'synced',
    opId: 3n,
    bucketCount: 2,
    rowsByTable: new Map([
      ['lists', 1],
      ['todos', 2],
    ]),
  });
  expect(events.slice(5, 8).flat()).toEqual([]);
  expect(events[8]).toEqual([
    { kind: 'change', op: 'REMOVE', table: 'todos', id: 'T1', isNew: false, columns: [] },
    { kind: 'checkpoint', opId: 4n, writeCheckpoint: 1n, changeCount: 1 },
  ]);
  expect(view.positions()).toEqual([
    { name: '7#lists|0["u1"]', after: '1' },
    { name: '7#todos|0["L1"]', after: '4' },
  ]);
});

test('a wrong checksum is reported, nothing is shown, and the bucket is asked for anew', () => {
  const view = new TailView();
  const lines = [...SESSION.slice(0, 3), must(SESSION[4])];
  const events = lines.flatMap((line) => view.apply(line));
  expect(events).toEqual([
    {
      kind: 'mismatch',
      bucket: '7#todos|0["L1"]',
      expected: 2555708821,
      actual: 0,
    },
  ]);
  expect(view.positions()).toEqual([{ name: '7#lists|0["u1"]', after: '1' }]);
});

/** A service of one table `t`, so that a test only says what is in which bucket. */
class Script {
  #opId = 0n;
  #started = false;
  readonly #sums = new Map<string, number>();

  lines(step: {
    put?: readonly (readonly [bucket: string, id: string, data: object, subkey?: string])[];
    remove?: readonly (readonly [bucket: string, id: string, subkey?: string])[];
    clear?: readonly string[];
    drop?: readonly string[];
  }): Line[] {
    const data: Line[] = [];
    const add = (bucket: string, op: Record<string, unknown>, checksum: number) => {
      this.#opId += 1n;
      const sum = op['kind'] === 'CLEAR' ? 0 : (this.#sums.get(bucket) ?? 0);
      this.#sums.set(bucket, (sum + checksum) >>> 0);
      const ops = [{ ...op, opId: this.#opId, checksum }] as never;
      const frame = { bucket, after: 0n, nextAfter: this.#opId, hasMore: false };
      data.push({ kind: 'data', ...frame, ops });
    };
    for (const bucket of step.clear ?? []) add(bucket, { kind: 'CLEAR' }, 5);
    for (const [bucket, id, row, subkey = id] of step.put ?? []) {
      const text = JSON.stringify(row);
      const op = { kind: 'PUT', objectType: 't', objectId: id, subkey, data: text };
      add(bucket, op, putChecksum('t', id, text));
    }
    for (const [bucket, id, subkey = id] of step.remove ?? []) {
      const op = { kind: 'REMOVE', objectType: 't', objectId: id, subkey };
      add(bucket, op, removeChecksum(subkey));
    }
    for (const name of step.drop ?? []) this.#sums.delete(name);
    const buckets = [...this.#sums].map(([bucket, checksum]) => ({
      bucket,
      checksum,
      count: 1,
      priority: 3,
      subscriptions: [],
    }));
    const lastOpId = this.#opId;
    const first: Line = this.#started
      ? {
          kind: 'checkpoint_diff',
          lastOpId,
          writeCheckpoint: undefined,
          updatedBuckets: buckets,
          removedBuckets: step.drop ?? [],
        }
      : { kind: 'checkpoint', lastOpId, writeCheckpoint: undefined, buckets, streams: [] };
    this.#started = true;
    return [first, ...data, { kind: 'checkpoint_complete', lastOpId }];
  }
}

function changes(view: TailView, lines: readonly Line[]) {
  return lines
    .flatMap((line) => view.apply(line))
    .flatMap((event) => {
      if (event.kind === 'mismatch') throw new Error('the script is wrong');
      if (event.kind !== 'change') return [];
      const { op, id, isNew, columns } = event;
      return [{ op, id, isNew, columns: columns.map((c) => [c.column, c.before, c.after]) }];
    });
}

test('shows the columns that changed, with the value before', () => {
  const script = new Script();
  const view = new TailView();
  expect(changes(view, script.lines({ put: [['b', '1', { id: '1', a: 1, z: 'x' }]] }))).toEqual([
    {
      op: 'PUT',
      id: '1',
      isNew: true,
      columns: [
        ['a', undefined, 1],
        ['z', undefined, 'x'],
      ],
    },
  ]);
  expect(changes(view, script.lines({ put: [['b', '1', { id: '1', a: 2, z: 'x' }]] }))).toEqual([
    { op: 'PUT', id: '1', isNew: false, columns: [['a', 1, 2]] },
  ]);
  expect(changes(view, script.lines({ put: [['b', '1', { id: '1', z: null }]] }))).toEqual([
    {
      op: 'PUT',
      id: '1',
      isNew: false,
      columns: [
        ['z', 'x', null],
        ['a', 2, undefined],
      ],
    },
  ]);
});

test('a row in several buckets goes only with the last of them', () => {
  const script = new Script();
  const view = new TailView();
  const row = { id: '1', a: 1 };
  changes(
    view,
    script.lines({
      put: [
        ['b', '1', row],
        ['c', '1', row],
      ],
    }),
  );
  expect(changes(view, script.lines({ remove: [['b', '1']] }))).toEqual([]);
  expect(changes(view, script.lines({ put: [['c', '1', { id: '1', a: 2 }]] }))).toHaveLength(1);
  expect(changes(view, script.lines({ drop: ['c'] }))).toEqual([
    { op: 'REMOVE', id: '1', isNew: false, columns: [] },
  ]);
});

test('of several source rows with one id, the newest shows', () => {
  const script = new Script();
  const view = new TailView();
  changes(
    view,
    script.lines({
      put: [
        ['b', '1', { a: 'old' }, 's1'],
        ['b', '1', { a: 'new' }, 's2'],
      ],
    }),
  );
  expect(changes(view, script.lines({ remove: [['b', '1', 's2']] }))).toEqual([
    { op: 'PUT', id: '1', isNew: false, columns: [['a', 'new', 'old']] },
  ]);
});

test('CLEAR empties the bucket; rows that come again unchanged are no change', () => {
  const script = new Script();
  const view = new TailView();
  changes(
    view,
    script.lines({
      put: [
        ['b', '1', { a: 1 }],
        ['b', '2', { a: 2 }],
      ],
    }),
  );
  expect(changes(view, script.lines({ clear: ['b'], put: [['b', '1', { a: 1 }]] }))).toEqual([
    { op: 'REMOVE', id: '2', isNew: false, columns: [] },
  ]);
});
