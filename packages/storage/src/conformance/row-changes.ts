import { describe, expect, test } from 'vitest';
import type { RowChange } from '../contract.ts';
import { output, put, putRow, remove, row, type Session, withSession } from './session.ts';
import type { StorageTarget } from './target.ts';

export function describeRowChanges(target: StorageTarget): void {
  /** Writes each list of changes as a commit of its own; gives the kinds of all ops of bucket `b`. */
  const check = (commits: readonly (readonly RowChange[])[], kinds: string, rows: string[]) =>
    withSession(target, async (session) => {
      for (const changes of commits) await session.commit(changes);
      await expectBucket(session, kinds, rows);
    });

  describe('row changes', () => {
    test('a new row is a PUT in each of its buckets', () =>
      withSession(target, async (session) => {
        await session.commit([put('a', '{"n":1}', 'x', 'y')]);
        for (const bucket of ['x', 'y']) {
          const { received } = await session.client(bucket);
          expect(received).toMatchObject([
            { kind: 'PUT', objectType: 't', objectId: 'a', data: '{"n":1}', subkey: '1/a' },
          ]);
        }
      }));

    test('an unchanged output yields nothing', () =>
      check([[put('a', '1', 'b')], [put('a', '1', 'b')]], 'PUT', ['t/a=1']));

    test('a changed output is a PUT', () =>
      check([[put('a', '1', 'b')], [put('a', '2', 'b')]], 'PUT PUT', ['t/a=2']));

    test('a change and its return within one batch end where they began', () =>
      check([[put('a', '1', 'b')], [put('a', '2', 'b'), put('a', '1', 'b')]], 'PUT PUT PUT', [
        't/a=1',
      ]));

    test('a deleted row is a REMOVE', () =>
      check([[put('a', '1', 'b'), put('c', '1', 'b')], [remove('a')]], 'PUT PUT REMOVE', [
        't/c=1',
      ]));

    test('a row that moves to another bucket is removed from the former', () =>
      withSession(target, async (session) => {
        await session.commit([put('a', '1', 'b', 'stays')]);
        await session.commit([put('a', '1', 'new', 'stays')]);
        await expectBucket(session, 'PUT REMOVE', []);
        expect(await session.rows('new')).toEqual(['t/a=1']);
        expect((await session.client('stays')).received).toHaveLength(1);
      }));

    test('a row that comes back is a PUT again', () =>
      check([[put('a', '1', 'b')], [remove('a')], [put('a', '1', 'b')]], 'PUT REMOVE PUT', [
        't/a=1',
      ]));

    test('another object id is a REMOVE of the former and a PUT', () =>
      withSession(target, async (session) => {
        await session.commit([putRow('k', row([output('t', 'old', '1', 'b')]))]);
        await session.commit([putRow('k', row([output('t', 'new', '1', 'b')]))]);
        const { received } = await session.client('b');
        expect(received.map((op) => op.kind).toSorted()).toEqual(['PUT', 'PUT', 'REMOVE']);
        expect(await session.rows('b')).toEqual(['t/new=1']);
      }));

    test('another object type is a REMOVE of the former and a PUT', () =>
      withSession(target, async (session) => {
        await session.commit([putRow('k', row([output('t1', 'k', '1', 'b')]))]);
        await session.commit([putRow('k', row([output('t2', 'k', '1', 'b')]))]);
        expect(await session.rows('b')).toEqual(['t2/k=1']);
      }));

    test('one row may have several outputs, also in one bucket', () =>
      withSession(target, async (session) => {
        const both = [output('t', 'x', '1', 'b', 'c'), output('u', 'x', '2', 'b')];
        await session.commit([putRow('k', row(both))]);
        expect(await session.rows('b')).toEqual(['t/x=1', 'u/x=2']);
        await session.commit([putRow('k', row([output('u', 'x', '2', 'b')]))]);
        expect(await session.rows('b')).toEqual(['u/x=2']);
        expect(await session.rows('c')).toEqual([]);
      }));

    test('of two outputs with the same identity in a bucket the later one counts', () =>
      withSession(target, async (session) => {
        const twice = [output('t', 'x', 'first', 'b', 'c'), output('t', 'x', 'later', 'b')];
        await session.commit([putRow('k', row(twice))]);
        await expectBucket(session, 'PUT', ['t/x=later']);
        expect(await session.rows('c')).toEqual(['t/x=first']);
        await session.commit([putRow('k', row(twice))]);
        await expectBucket(session, 'PUT', ['t/x=later']);
      }));

    test('two source rows behind one client row coexist, and the newer shows', () =>
      withSession(target, async (session) => {
        await session.commit([putRow('k1', row([output('t', 'x', 'one', 'b')]))]);
        await session.commit([putRow('k2', row([output('t', 'x', 'two', 'b')]))]);
        expect(await session.rows('b')).toEqual(['t/x=two']);
        await session.commit([remove('k2')]);
        expect(await session.rows('b')).toEqual(['t/x=one']);
      }));

    test('equal keys of different tables are different rows', () =>
      withSession(target, async (session) => {
        await session.commit([
          putRow('k', row([output('t', 'k', 'one', 'b')]), 1),
          putRow('k', row([output('u', 'k', 'two', 'b')]), 2),
        ]);
        await session.commit([remove('k')]);
        expect(await session.rows('b')).toEqual(['u/k=two']);
      }));

    test('a key that is not the object id does not reach clients', () =>
      withSession(target, async (session) => {
        await session.commit([putRow('confidential', row([output('t', 'x', '1', 'b')]))]);
        const { received } = await session.client('b');
        const subkey = received[0]?.kind === 'PUT' ? received[0].subkey : '';
        expect(subkey).toMatch(/^1\/[A-Za-z0-9_-]{22}$/);
      }));

    test('op ids rise in the order of the changes', () =>
      withSession(target, async (session) => {
        const keys = ['z', 'a', 'm', 'b'];
        await session.commit(keys.map((key) => put(key, '1', 'b', `of ${key}`)));
        const { received } = await session.client('b');
        expect(received.map((op) => op.kind === 'PUT' && op.objectId)).toEqual(keys);
      }));

    test('deleting an unknown row changes nothing', () =>
      check([[put('a', '1', 'b')], [remove('nobody'), remove('nobody')]], 'PUT', ['t/a=1']));

    test('text of any kind arrives as it was', () =>
      withSession(target, async (session) => {
        const bucket = 'b["é\\"😀",null]';
        const data = JSON.stringify({ text: `"\\ \u2028 漢字 😀 ${'x'.repeat(300_000)}` });
        await session.commit([put('', data, bucket), put('ключ', '{}', bucket)]);
        expect(await session.rows(bucket)).toEqual([`t/=${data}`, 't/ключ={}']);
      }));
  });

  describeTombstones(check);
  describeTables(target);
}

type Check = (
  commits: readonly (readonly RowChange[])[],
  kinds: string,
  rows: string[],
) => Promise<void>;

function describeTombstones(check: Check): void {
  const absent = (key: string, data: string): RowChange => ({
    ...put(key, data, 'b'),
    ifAbsent: true,
  });
  const dropTombstones: RowChange = { kind: 'drop-tombstones', tableId: 1 };

  describe('rows of a snapshot', () => {
    test('are put where the row is unknown', () => check([[absent('a', '1')]], 'PUT', ['t/a=1']));

    test('do nothing where it is known', () =>
      check([[put('a', 'new', 'b')], [absent('a', 'old')]], 'PUT', ['t/a=new']));

    test('do nothing where the known row is in no bucket', () =>
      check([[put('x', '1', 'b'), putRow('a', row([]))], [absent('a', 'old')]], 'PUT', ['t/x=1']));

    test('do nothing where a tombstone says that it was deleted', () =>
      check([[put('a', '1', 'b')], [remove('a', true)], [absent('a', 'old')]], 'PUT REMOVE', []));

    test('do nothing after the deletion of a row that was never known', () =>
      check([[put('x', '1', 'b'), remove('a', true)], [absent('a', 'old')]], 'PUT', ['t/x=1']));

    test('are put again where the deletion left no tombstone', () =>
      check([[put('a', '1', 'b')], [remove('a')], [absent('a', '2')]], 'PUT REMOVE PUT', [
        't/a=2',
      ]));

    test('are put once the tombstones are dropped', () =>
      check(
        [
          [put('a', '1', 'b'), remove('a', true)],
          [dropTombstones, absent('a', '2')],
        ],
        'PUT REMOVE PUT',
        ['t/a=2'],
      ));

    test('dropping the tombstones keeps the rows', () =>
      check(
        [[put('a', '1', 'b'), remove('c', true)], [dropTombstones], [absent('a', '2')]],
        'PUT',
        ['t/a=1'],
      ));

    test('a change after the tombstone is put as always', () =>
      check([[remove('a', true)], [put('a', '1', 'b')], [absent('a', 'old')]], 'PUT', ['t/a=1']));
  });

  describe('rows without a key', () => {
    const same = row([output('t', 'x', '1', 'b')]);
    const add: RowChange = { kind: 'add-copy', tableId: 1, key: 'x', row: same };
    const less: RowChange = { kind: 'remove-copy', tableId: 1, key: 'x' };

    test('are there as long as one copy is', () =>
      check([[add], [add, add], [less, less]], 'PUT', ['t/x=1']));

    test('go with the last copy', () => check([[add, add], [less], [less]], 'PUT REMOVE', []));

    test('may be removed before the snapshot brings them', () =>
      check([[less, put('other', '1', 'b')], [add], [add]], 'PUT PUT', ['t/other=1', 't/x=1']));

    test('removed more often than brought, they stay away', () =>
      check([[put('other', '1', 'b'), less, less], [add], [add]], 'PUT', ['t/other=1']));
  });
}

function describeTables(target: StorageTarget): void {
  describe('truncating', () => {
    const truncate: RowChange = { kind: 'truncate', tableId: 1 };

    test('removes all rows of that table and no others', () =>
      withSession(target, async (session) => {
        const other = putRow('c', row([output('u', 'c', '1', 'b')]), 2);
        await session.commit([put('a', '1', 'b'), put('b', '1', 'b', 'z'), other]);
        await session.commit([truncate]);
        expect(await session.rows('b')).toEqual(['u/c=1']);
        expect(await session.rows('z')).toEqual([]);
      }));

    test('removes tombstones and counts of copies too', () =>
      withSession(target, async (session) => {
        await session.commit([remove('a', true), { kind: 'remove-copy', tableId: 1, key: 'x' }]);
        const same = row([output('t', 'x', '1', 'b')]);
        const absent: RowChange = { ...put('a', '1', 'b'), ifAbsent: true };
        await session.commit([
          truncate,
          absent,
          { kind: 'add-copy', tableId: 1, key: 'x', row: same },
        ]);
        expect(await session.rows('b')).toEqual(['t/a=1', 't/x=1']);
      }));

    test('a row written after it in the same batch is there', () =>
      withSession(target, async (session) => {
        await session.commit([put('a', '1', 'b'), put('c', '1', 'b')]);
        await session.commit([truncate, put('a', '1', 'b')]);
        expect(await session.rows('b')).toEqual(['t/a=1']);
      }));

    test('many rows go at once', () =>
      withSession(target, async (session) => {
        const keys = Array.from({ length: 3000 }, (_, at) => `k${at}`);
        await session.commit(keys.map((key) => put(key, '{}', 'b')));
        await session.commit([truncate]);
        expect(await session.rows('b')).toEqual([]);
      }));
  });

  describe('copies of source values', () => {
    const bytes = (...values: number[]) => Uint8Array.from(values);
    const ref = (key: string) => ({ tableId: 1, key });

    test('are kept with the row, replaced with it and gone with it', () =>
      withSession(target, async (session) => {
        const load = async (...keys: string[]) => {
          const copies = await session.writer.loadCopies(keys.map(ref));
          return copies.map((copy) => (copy === undefined ? undefined : [...copy]));
        };
        await session.write([
          { ...put('a', '1', 'b'), copy: bytes(1, 2) },
          put('plain', '1', 'b'),
          { ...put('c', '1'), copy: bytes() },
        ]);
        expect(await load('c', 'a', 'unknown', 'plain')).toEqual([
          [],
          [1, 2],
          undefined,
          undefined,
        ]);
        await session.write([{ ...put('a', '1', 'b'), copy: bytes(3) }]);
        await session.write([{ ...put('a', '1', 'b'), copy: bytes(9), ifAbsent: true }]);
        expect(await load('a')).toEqual([[3]]);
        await session.write([put('a', '1', 'b'), remove('c')]);
        expect(await load('a', 'c')).toEqual([undefined, undefined]);
      }));
  });
}

async function expectBucket(session: Session, kinds: string, rows: string[]): Promise<void> {
  const client = await session.client('b');
  expect(client.received.map((op) => op.kind).join(' ')).toBe(kinds);
  expect(client.rows()).toEqual(rows.toSorted());
}
