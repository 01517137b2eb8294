import type { OpId } from '@sluice/model';
import { describe, expect, test } from 'vitest';
import { BucketClient } from './bucket-client.ts';
import { put, remove, type Session, withSession } from './session.ts';
import type { StorageTarget } from './target.ts';

const FAR: OpId = 2n ** 62n;

export function describeReading(target: StorageTarget): void {
  describe('reading buckets', () => {
    test('an unknown bucket is empty', () =>
      withSession(target, async ({ reader }) => {
        const empty = { checksum: 0, count: 0, lastOpId: 0n };
        const states = await reader.bucketStates(['nobody', 'knows'], FAR);
        expect(states).toMatchObject([empty, empty]);
        const request = { bucket: 'nobody', after: 0n, upTo: FAR, maxBytes: 1000 };
        expect(await reader.readOps(request)).toBeUndefined();
      }));

    test('states come in the order of the names', () =>
      withSession(target, async (session) => {
        const { opId } = await session.commit([put('a', '1', 'x'), put('b', '2', 'y', 'x')]);
        const states = await session.reader.bucketStates(['y', 'none', 'x', 'y'], opId);
        expect(states.map((state) => state.count)).toEqual([1, 0, 2, 1]);
        expect(states[0]).toEqual(states[3]);
        expect(await session.reader.bucketStates([], opId)).toEqual([]);
      }));

    test('every checkpoint stays readable as it was', () =>
      withSession(target, async (session) => {
        const checkpoints = [
          await session.commit([put('a', '1', 'b')]),
          await session.commit([put('a', '2', 'b'), put('c', '1', 'b')]),
          await session.commit([remove('a')]),
          await session.commit([put('other', '1', 'elsewhere')]),
        ];
        const expected = [['t/a=1'], ['t/a=2', 't/c=1'], ['t/c=1'], ['t/c=1']];
        for (const [at, checkpoint] of checkpoints.entries()) {
          const client = await session.client('b', checkpoint);
          expect(client.rows()).toEqual(expected[at]);
          const [state] = await session.reader.bucketStates(['b'], checkpoint.opId);
          expect(state?.count).toBe(client.received.length);
          expect(state?.lastOpId).toBe(client.replica.lastOpId);
        }
      }));

    test('what was written without a checkpoint comes with the next one', () =>
      withSession(target, async (session) => {
        const before = await session.commit([put('a', '1', 'b')]);
        await session.write([put('a', '2', 'b'), put('c', '1', 'b')]);
        await session.write([put('d', '1', 'b')]);
        expect(session.reader.checkpoint()).toEqual(before);
        expect((await session.client('b', before)).rows()).toEqual(['t/a=1']);
        await session.commit();
        expect(await session.rows('b')).toEqual(['t/a=2', 't/c=1', 't/d=1']);
      }));

    test('chunks of any size follow each other without gap', () =>
      withSession(target, async (session) => {
        const { opId } = await commitSizes(session, [10, 500, 30, 30, 30, 9000, 5, 5]);
        for (const maxBytes of [1, 200, 300, 700, 5000, 100_000]) {
          const client = await new BucketClient('b').download(session.reader, opId, maxBytes);
          expect(client.received).toHaveLength(8);
          await client.verify(session.reader, opId);
        }
      }));

    test('a single larger operation comes alone', () =>
      withSession(target, async (session) => {
        const { opId } = await commitSizes(session, [5, 5000, 5]);
        const client = new BucketClient('b');
        const counts: number[] = [];
        for (let more = true; more;) {
          const before = client.received.length;
          more = await client.step(session.reader, opId, 1000);
          counts.push(client.received.length - before);
        }
        expect(counts).toEqual([1, 1, 1]);
      }));

    test('positions that were never handed out are harmless', () =>
      withSession(target, async (session) => {
        const { opId } = await session.commit([put('a', '1', 'b'), put('c', '1', 'other')]);
        const read = (after: OpId, upTo: OpId) =>
          session.reader.readOps({ bucket: 'b', after, upTo, maxBytes: 1000 });
        expect(await read(FAR, opId)).toBeUndefined();
        expect(await read(FAR, FAR)).toBeUndefined();
        expect(await read(opId, opId)).toBeUndefined();
        expect(await read(0n, 0n)).toBeUndefined();
        const [none, all] = [
          await session.reader.bucketStates(['b'], 0n),
          await session.reader.bucketStates(['b'], FAR),
        ];
        expect([none[0]?.checksum, none[0]?.count, all[0]?.count]).toEqual([0, 0, 1]);
      }));

    test('a bucket of many operations arrives whole and in order', () =>
      withSession(target, async (session) => {
        const keys = Array.from({ length: 7000 }, (_, at) => `key-${at}`);
        await session.commit(keys.slice(0, 5000).map((key) => put(key, `{"id":"${key}"}`, 'b')));
        for (let at = 5000; at < 7000; at += 500) {
          await session.commit(keys.slice(at, at + 500).map((key) => put(key, '{}', 'b')));
        }
        const client = await session.client('b');
        expect(client.received.map((op) => op.kind === 'PUT' && op.objectId)).toEqual(keys);
      }));

    test('equal chunks are told by their identity', () =>
      withSession(target, async (session) => {
        const { opId } = await commitSizes(session, [100, 100]);
        const read = () =>
          session.reader.readOps({ bucket: 'b', after: 0n, upTo: opId, maxBytes: 1000 });
        const [one, two] = [await read(), await read()];
        expect(one?.identity).toBe(two?.identity);
        expect(Buffer.concat(one?.parts ?? [])).toEqual(Buffer.concat(two?.parts ?? []));
      }));
  });
}

/** One commit to bucket `b` with rows of about so many bytes. */
function commitSizes(session: Session, sizes: readonly number[]) {
  return session.commit(sizes.map((size, at) => put(`k${at}`, 'x'.repeat(size), 'b')));
}
