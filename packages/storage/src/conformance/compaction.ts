import { describe, expect, test } from 'vitest';
import { BucketClient } from './bucket-client.ts';
import { put, remove, withSession } from './session.ts';
import type { StorageTarget } from './target.ts';

export function describeCompaction(target: StorageTarget): void {
  describe('compaction', () => {
    test('leaves nothing to do behind, and changes no row and no checksum', () =>
      withSession(target, async (session) => {
        for (let at = 0; at < 30; at++) {
          await session.commit([put(`k${at % 4}`, `${at}`, 'b', `b${at % 3}`)]);
        }
        const at = session.reader.checkpoint()?.opId ?? 0n;
        const before = await session.reader.bucketStates(['b'], at);
        const rows = await session.rows('b');
        const full = (await session.client('b')).received.length;
        expect(await session.compact()).toBeGreaterThan(0);
        expect(await session.compact()).toBe(0);
        const after = await session.reader.bucketStates(['b'], at);
        expect(after[0]?.checksum).toBe(before[0]?.checksum);
        const client = await session.client('b');
        expect(client.rows()).toEqual(rows);
        expect(client.received.length).toBeLessThan(full);
        expect(after[0]?.count).toBeGreaterThanOrEqual(client.received.length);
      }));

    test('clients at every earlier checkpoint go on from where they are', () =>
      withSession(target, async (session) => {
        const clients = [new BucketClient('b')];
        for (let at = 0; at < 12; at++) {
          const { opId } = await session.commit([
            put(`k${at % 3}`, `${at}`, 'b'),
            at % 4 === 3 ? remove(`k${(at + 1) % 3}`) : put(`x${at}`, '1', 'b'),
          ]);
          clients.push(await new BucketClient('b').download(session.reader, opId));
        }
        await session.compact();
        const opId = session.reader.checkpoint()?.opId ?? 0n;
        const expected = clients.at(-1)?.rows();
        for (const client of clients) {
          await client.download(session.reader, opId);
          await client.verify(session.reader, opId);
          expect(client.rows()).toEqual(expected);
        }
      }));

    test('a bucket without rows becomes a single operation', () =>
      withSession(target, async (session) => {
        await session.commit([put('a', '1', 'b'), put('c', '1', 'b')]);
        await session.commit([put('a', '2', 'b')]);
        await session.commit([remove('a'), remove('c')]);
        await session.compact();
        const { received } = await session.client('b');
        expect(received.map((op) => op.kind)).toEqual(['CLEAR']);
      }));

    test('a bucket that was emptied fills again', () =>
      withSession(target, async (session) => {
        await session.commit([put('a', '1', 'b'), put('c', '1', 'b')]);
        await session.commit([remove('a'), remove('c')]);
        await session.compact();
        await session.commit([put('a', '3', 'b')]);
        expect(await session.rows('b')).toEqual(['t/a=3']);
        await session.commit([remove('a')]);
        await session.compact();
        expect(await session.rows('b')).toEqual([]);
      }));

    test('does not touch what no checkpoint covers yet', () =>
      withSession(target, async (session) => {
        const checkpoint = await session.commit([put('a', '1', 'b'), put('c', '1', 'b')]);
        await session.write([put('a', '2', 'b'), remove('c')]);
        await session.compact();
        expect((await session.client('b', checkpoint)).rows()).toEqual(['t/a=1', 't/c=1']);
        await session.commit();
        expect(await session.rows('b')).toEqual(['t/a=2']);
      }));

    test('what a later checkpoint superseded cannot complete an earlier one', () =>
      withSession(target, async (session) => {
        const old = await session.commit([put('first', '1', 'b'), put('a', '1', 'b')]);
        const late = await new BucketClient('b').download(session.reader, old.opId, 1);
        const client = new BucketClient('b');
        await client.step(session.reader, old.opId, 1);
        const now = await session.commit([put('a', '2', 'b')]);
        await session.compact();
        await client.download(session.reader, old.opId);
        // Row `a` is missing here, so the client must not be told that it is complete.
        expect(client.rows()).toEqual(['t/first=1']);
        expect(client.requires > old.opId).toBe(true);
        expect(client.requires <= now.opId).toBe(true);
        for (const one of [client, late]) {
          await one.download(session.reader, now.opId);
          await one.verify(session.reader, now.opId);
          expect(one.rows()).toEqual(['t/a=2', 't/first=1']);
        }
      }));

    test('a checksum that can no longer be computed names the checkpoint from which it can', () =>
      withSession(target, async (session) => {
        const old = await session.commit([put('a', '1', 'b')]);
        const now = await session.commit([remove('a')]);
        await session.compact();
        const [state] = await session.reader.bucketStates(['b'], old.opId);
        const isExact = state?.checksum === (await session.client('b', now)).replica.checksum;
        if (!isExact) expect((state?.requiresCheckpoint ?? 0n) > old.opId).toBe(true);
        expect((state?.requiresCheckpoint ?? 0n) <= now.opId).toBe(true);
      }));

    test('a download that began before it still receives the removals it needs', () =>
      withSession(target, async (session) => {
        await session.commit([put('a', '1', 'b'), put('c', '1', 'b'), put('d', '1', 'b')]);
        const { opId } = await session.commit([remove('c'), put('e', '1', 'b')]);
        for (let chunks = 0; chunks < 5; chunks++) {
          const client = new BucketClient('b');
          for (let left = chunks; left > 0; left--) await client.step(session.reader, opId, 1);
          await session.compact();
          await client.download(session.reader, opId, 1);
          await client.verify(session.reader, opId);
          expect(client.rows()).toEqual(['t/a=1', 't/d=1', 't/e=1']);
        }
      }));

    test('a download between two compactions receives the removals it needs', () =>
      withSession(target, async (session) => {
        await session.commit([put('z', '1', 'b'), put('a', '1', 'b'), put('c', '1', 'b')]);
        await session.commit([put('a', '2', 'b')]);
        await session.compact();
        const client = new BucketClient('b');
        const upTo = session.reader.checkpoint()?.opId ?? 0n;
        await client.step(session.reader, upTo, 1);
        await client.step(session.reader, upTo, 1);
        const { opId } = await session.commit([remove('c'), remove('a')]);
        await session.compact();
        await client.download(session.reader, opId, 1);
        await client.verify(session.reader, opId);
        expect(client.rows()).toEqual(['t/z=1']);
      }));

    test('downloads go on while it works in small steps', () =>
      withSession(target, async (session) => {
        // So large that segments stay apart.
        const large = 'x'.repeat(90_000);
        const keys = ['a', 'c', 'd', 'e', 'f', 'g'];
        const runs = ['1', '2'].map((version) => keys.map((key) => put(key, version + large, 'b')));
        for (const change of runs.flat()) await session.commit([change]);
        const busy = new BucketClient('b');
        let upTo = (await session.commit([remove('c')])).opId;
        await busy.step(session.reader, upTo, 1);
        for (const key of ['a', 'e', 'g']) upTo = (await session.commit([remove(key)])).opId;
        for (let more = true, steps = 0; more; steps++) {
          expect(steps, 'compaction comes to an end').toBeLessThan(1000);
          ({ more } = await session.writer.compact({ maxMs: 1 }));
          expect((await session.client('b')).rows().map((one) => one.slice(0, 5))).toEqual([
            't/d=2',
            't/f=2',
          ]);
          await busy.step(session.reader, upTo, 1);
          const ahead = await busy.clone().download(session.reader, upTo, 100_000);
          await ahead.verify(session.reader, upTo);
          expect(ahead.rows()).toHaveLength(2);
        }
      }));

    test('rows are compared with what was written after it, too', () =>
      withSession(target, async (session) => {
        await session.commit([put('a', '1', 'b')]);
        await session.commit([put('a', '2', 'b')]);
        await session.compact();
        await session.commit([put('a', '2', 'b')]);
        const { received } = await session.client('b');
        expect(received.filter((op) => op.kind === 'PUT')).toHaveLength(1);
      }));
  });
}
