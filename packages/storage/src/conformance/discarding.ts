import { must } from '@sluice/base';
import type { LookupEntry } from '@sluice/model';
import { describe, expect, test } from 'vitest';
import type { BucketState, BucketStorage, RowChange } from '../contract.ts';
import { BucketClient } from './bucket-client.ts';
import { output, put, putRow, remove, row, Session, withSession } from './session.ts';
import type { StorageTarget } from './target.ts';

/** Prefixes of one another, wildcards of LIKE and GLOB, other case, what is not ASCII. */
const PREFIXES = ['a.1#', 'a.10#', 'a.1', 'A.1#', 'a_1#', 'a%#', 'a*#', 'a', 'ä.1#', '\u{10ffff}#'];
const TAILS = ['', '[]', '["u%_"]', '["\u{10ffff}"]', '#x'];

export function describeDiscarding(target: StorageTarget): void {
  describe('discarding', () => {
    const names = PREFIXES.flatMap((prefix) => TAILS.map((tail) => prefix + tail));

    test.each(PREFIXES)('takes exactly the buckets and lookups that begin with %s', (prefix) =>
      withSession(target, async (session) => {
        await session.commit(names.map((name) => rowIn(name)));
        await session.discard({ prefixes: [prefix] });
        const { opId } = must(session.reader.checkpoint());
        const found = await session.reader.lookup(names, opId);
        for (const name of names) {
          const isGone = name.startsWith(prefix);
          expect(await session.rows(name), name).toEqual(isGone ? [] : [`t/row of ${name}=1`]);
          expect(found.get(name), name).toEqual(isGone ? undefined : ['[1]']);
        }
      }),
    );

    test('gives nothing of a discarded bucket, and leaves all others as they are', () =>
      withSession(target, async (session) => {
        await session.commit([put('a', '1', 'old#b', 'b'), put('c', '1', 'b')]);
        const client = await session.client('b');
        const before = await session.commit([put('a', '2', 'old#b', 'b'), remove('c')]);
        const states = await session.reader.bucketStates(['old#b', 'b'], before.opId);
        await session.discard({ prefixes: ['old#'] });
        const after = await session.commit();
        expect(after.opId, 'no operation was written').toBe(before.opId);
        const now = await session.reader.bucketStates(['old#b', 'b'], before.opId);
        expect(now).toEqual([EMPTY, states[1]]);
        const all = { after: 0n, upTo: after.opId, maxBytes: 1000 };
        expect(await session.reader.readOps({ bucket: 'old#b', ...all })).toBeUndefined();
        await client.download(session.reader, after.opId);
        await client.verify(session.reader, after.opId);
        expect(client.rows()).toEqual(['t/a=2']);
      }));

    test('what rows still say of discarded buckets is ignored, and they work in the others', () =>
      withSession(target, async (session) => {
        const everywhere = ['old#b', 'b', 'old#c', 'new#b'];
        const keys = ['changes', 'leaves', 'moves', 'stays', 'counts', 'truncated'];
        const rows = keys.map((key) => put(key, '1', ...everywhere));
        const truncated = putRow('t', row([output('t', 't', '1', ...everywhere)]), 3);
        const gone = ['go', 'come'].map((key) => put(key, '1', 'old#b'));
        const full = await session.commit([...rows, truncated, ...gone]);
        await session.discard({ prefixes: ['old#'] });
        const after = await session.commit([remove('go'), put('come', '1')]);
        expect(after.opId, 'no operation was written').toBe(full.opId);
        const before = await session.reader.bucketStates(['b'], 2n ** 40n);
        await session.commit([
          put('changes', '2', 'b', 'new#b'),
          remove('leaves'),
          put('moves', '1', 'other'),
          put('stays', '1', 'b', 'new#b'),
          { kind: 'truncate', tableId: 3 },
        ]);
        for (const bucket of ['old#b', 'old#c']) await expectEmpty(session, bucket);
        const left = ['t/changes=2', 't/counts=1', 't/stays=1', 't/truncated=1'];
        for (const bucket of ['b', 'new#b']) expect(await session.rows(bucket)).toEqual(left);
        const ops = (await session.client('b')).received;
        expect(ops.slice(before[0]?.count).map((op) => op.kind)).toEqual([
          'PUT',
          'REMOVE',
          'REMOVE',
          'REMOVE',
        ]);
        expect(await session.rows('other')).toEqual(['t/moves=1']);
      }));

    test('copies of equal rows are counted on', () =>
      withSession(target, async (session) => {
        const more: RowChange = {
          kind: 'add-copy',
          tableId: 1,
          key: 'k',
          row: row([output('t', 'k', '1', 'old#b', 'b')]),
        };
        const less: RowChange = { kind: 'remove-copy', tableId: 1, key: 'k' };
        await session.commit([more, more]);
        await session.discard({ prefixes: ['old#'] });
        await session.commit([less]);
        expect(await session.rows('b')).toEqual(['t/k=1']);
        await session.commit([less]);
        expect(await session.rows('b')).toEqual([]);
        await expectEmpty(session, 'old#b');
      }));

    test('lookups of discarded prefixes are ignored when their rows change or go', () =>
      withSession(target, async (session) => {
        const keys = ['old#k', 'k'];
        const all = keys.map(entry);
        const first = await session.commit(['a', 'c', 'd'].map((key) => putRow(key, row([], all))));
        await session.discard({ prefixes: ['old#'] });
        const find = async () => {
          const { opId } = must(session.reader.checkpoint());
          const found = await session.reader.lookup(keys, opId);
          return keys.map((key) => found.get(key)?.length ?? 0);
        };
        expect(await find()).toEqual([0, 3]);
        const same = await session.commit([putRow('a', row([], [entry('k')]))]);
        expect(same.opId, 'nothing changed').toBe(first.opId);
        await session.commit([remove('c')]);
        expect(await find()).toEqual([0, 2]);
        await session.commit([putRow('d', row([], []))]);
        expect(await find()).toEqual([0, 1]);
      }));

    test('a name that comes back is a new, empty bucket', () =>
      withSession(target, async (session) => {
        await session.commit([put('a', '1', 'p#b', 'b'), put('c', '1', 'p#b'), lookupRow('p#k')]);
        await session.discard({ prefixes: ['p#'] });
        const again = await session.commit([put('a', '1', 'p#b', 'b'), lookupRow('p#k')]);
        expect(await session.rows('p#b')).toEqual(['t/a=1']);
        expect((await session.reader.lookup(['p#k'], again.opId)).get('p#k')).toEqual(['[1]']);
        expect((await session.client('b')).received).toHaveLength(1);
        await session.commit([remove('a'), put('c', '2', 'p#b'), remove('l')]);
        expect(await session.rows('p#b')).toEqual(['t/c=2']);
        const { received } = await session.client('p#b');
        expect(received.map((op) => op.kind)).toEqual(['PUT', 'REMOVE', 'PUT']);
        const { opId } = must(session.reader.checkpoint());
        expect((await session.reader.lookup(['p#k'], opId)).size).toBe(0);
        await session.compact();
        expect(await session.rows('p#b')).toEqual(['t/c=2']);
      }));

    test('rows of discarded tables go without operations, their copies and tombstones too', () =>
      withSession(target, async (session) => {
        const inTable = (tableId: number, key: string, ...buckets: string[]): RowChange => ({
          ...putRow(key, row([output('t', key, '1', ...buckets)], [entry('old#k')]), tableId),
          copy: Uint8Array.of(1),
        });
        const before = await session.commit([
          inTable(1, 'a', 'old#b'),
          inTable(10, 'a', 'c'),
          remove('gone', true),
        ]);
        await session.discard({ prefixes: ['old#'], tables: [1] });
        const refs = [1, 10].map((tableId) => ({ tableId, key: 'a' }));
        const copies = await session.writer.loadCopies(refs);
        expect(copies.map((copy) => copy?.length)).toEqual([undefined, 1]);
        expect((await session.commit()).opId).toBe(before.opId);
        const absent = ['a', 'gone'].map((key) => ({ ...put(key, '2', 'b'), ifAbsent: true }));
        await session.commit(absent);
        expect(await session.rows('b')).toEqual(['t/a=2', 't/gone=2']);
        expect(await session.rows('c')).toEqual(['t/a=1']);
      }));

    test('can be repeated, and asked for what is not there', () =>
      withSession(target, async (session) => {
        await session.discard({ prefixes: ['old#'], tables: [7] });
        await session.commit([put('a', '1', 'old#b', 'b')]);
        for (let times = 0; times < 3; times++) {
          await session.discard({ prefixes: ['old#', 'never#'], tables: [7] });
          await expectEmpty(session, 'old#b');
          expect(await session.rows('b')).toEqual(['t/a=1']);
        }
        await session.discard({});
        expect(await session.rows('b')).toEqual(['t/a=1']);
      }));

    test('concerns one generation', () =>
      withSession(target, async (first) => {
        const second = await Session.on(first.storage);
        for (const session of [first, second]) await session.commit([put('a', '1', 'p#b')]);
        await first.discard({ prefixes: ['p#'], tables: [1] });
        await expectEmpty(first, 'p#b');
        expect(await second.rows('p#b')).toEqual(['t/a=1']);
        await second.commit([put('a', '2', 'p#b')]);
        expect(await second.rows('p#b')).toEqual(['t/a=2']);
      }));

    test('goes on in small steps, between which rows are written, read and compacted', () =>
      withSession(target, async (session) => {
        await fillMany(session);
        const client = await session.client('b');
        const what = { prefixes: ['old#'], tables: [2] };
        for (let more = true, calls = 1; more; calls++) {
          expect(calls, 'it comes to an end').toBeLessThan(2000);
          ({ more } = await session.writer.discard(what, { maxMs: 0 }));
          const changes = [put(`k${calls % MANY}`, `${calls}`, 'b'), put('n', `${calls}`, 'b')];
          const { opId } = await session.commit(changes);
          if (calls % 10 > 0) continue;
          await session.writer.compact({ maxMs: 1 });
          await client.download(session.reader, opId);
          await client.verify(session.reader, opId);
          expect(client.rows()).toContain(`t/k${calls % MANY}=${calls}`);
        }
        await expectManyGone(session);
      }));

    describeInterruption('opening again', target, async (session) => {
      await session.close();
      return must(target.reopen)(session.storage);
    });
    describeInterruption('a crash', target, (session) => must(target.crash)(session.storage));
  });
}

const EMPTY: BucketState = { checksum: 0, count: 0, lastOpId: 0n, requiresCheckpoint: 0n };
const MANY = 600;

function describeInterruption(
  title: string,
  target: StorageTarget,
  again: (session: Session) => Promise<BucketStorage>,
): void {
  if ((title === 'a crash' ? target.crash : target.reopen) === undefined) return;
  test.each([1, 3, 8])(`goes on after ${title}, %i steps from the start`, async (steps) => {
    const before = await Session.on(await target.open());
    await fillMany(before);
    const what = { prefixes: ['old#'], tables: [2] };
    for (let done = 0; done < steps; done++) await before.writer.discard(what, { maxMs: 0 });
    const [generation] = await before.storage.generations();
    const after = await Session.on(await again(before), must(generation));
    try {
      // As replication may: it first goes on with what has changed meanwhile.
      await after.commit([put('k1', 'new', 'b'), remove('k2')], { checkpoint: 'q1' });
      await after.discard(what, 1);
      await after.commit([put('k3', 'new', 'b'), remove('k4')], { checkpoint: 'q2' });
      const kept = await after.rows('b');
      expect(kept).toHaveLength(MANY - 2);
      expect(kept).toContain('t/k1=new');
      expect(kept).toContain('t/k3=new');
      await expectManyGone(after);
    } finally {
      await after.close();
    }
  });
}

/** Rows in a kept bucket, which are in discarded ones, too, and as many in a discarded table. */
async function fillMany(session: Session): Promise<void> {
  const keys = Array.from({ length: MANY }, (_, at) => `k${at}`);
  const kept = keys.map((key, at) => put(key, '1', 'b', `old#${at}`, `old#${at % 7}`));
  const large = 'x'.repeat(5000);
  const going = keys.map((key, at) =>
    putRow(key, row([output('t', key, large, 'old#large')], [entry(`old#k${at % 9}`)]), 2),
  );
  await session.commit(kept);
  for (let from = 0; from < MANY; from += 100) await session.commit(going.slice(from, from + 100));
}

async function expectManyGone(session: Session): Promise<void> {
  const { opId } = must(session.reader.checkpoint());
  const names = ['old#large', ...Array.from({ length: MANY }, (_, at) => `old#${at}`)];
  const states = await session.reader.bucketStates(names, opId);
  expect(states.filter((state) => state.checksum !== 0 || state.lastOpId > 0n)).toEqual([]);
  const lookups = Array.from({ length: 9 }, (_, at) => `old#k${at}`);
  expect((await session.reader.lookup(lookups, opId)).size).toBe(0);
  const absent = { ...putRow('k1', row([output('t', 'k1', 'absent', 'x')]), 2), ifAbsent: true };
  await session.commit([absent], { checkpoint: 'z' });
  expect(await session.rows('x')).toEqual(['t/k1=absent']);
}

async function expectEmpty(session: Session, bucket: string): Promise<void> {
  const { opId } = must(session.reader.checkpoint());
  expect(await session.reader.bucketStates([bucket], opId)).toEqual([EMPTY]);
  expect((await new BucketClient(bucket).download(session.reader, opId)).received).toEqual([]);
}

function entry(key: string): LookupEntry {
  return { key, values: '[1]' };
}

function lookupRow(key: string): RowChange {
  return putRow('l', row([], [entry(key)]));
}

/** A row in one bucket, with a lookup of the same name. */
function rowIn(name: string): RowChange {
  const key = `row of ${name}`;
  return putRow(key, row([output('t', key, '1', name)], [entry(name)]));
}
