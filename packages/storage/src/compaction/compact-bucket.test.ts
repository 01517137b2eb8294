import type { OpId } from '@sluice/model';
import { BucketReplica, decodeOpElements, type Op } from '@sluice/protocol';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { ChunkAssembler } from '../segment/chunk-assembler.ts';
import type { SegmentData } from '../segment/encode-index.ts';
import { SegmentFlush } from '../segment/segment-flush.ts';
import { Segment } from '../segment/segment.ts';
import { type BucketSegments, compactBucket, type CompactBucketOptions } from './compact-bucket.ts';
import type { Rewrite } from './rewrite.ts';

/** The smallest store of one bucket. */
class TestBucket implements BucketSegments {
  segments: Segment[] = [];
  epoch = 0;
  hiddenUpTo: OpId = 0n;
  nextOpId: OpId = 1n;
  checkpoint: OpId = 0n;
  /** By the last pass. */
  segmentsRead = 0;
  /** By all passes. */
  opsWritten = 0;
  /** Every op ever written, for the reference. */
  readonly history: Op[] = [];

  /** One flush and its checkpoint. `undefined` data removes the row. */
  write(changes: readonly (readonly [id: string, data: string | undefined])[]): this {
    const flush = new SegmentFlush(this.nextOpId);
    for (const [id, data] of changes) {
      const checksum = Number((flush.nextOpId * 2654435761n) % 2n ** 32n);
      const tail =
        data === undefined
          ? flush.remove('t', id, `s/${id}`, checksum)
          : flush.put('t', id, `s/${id}`, checksum, data);
      flush.add(1, tail);
    }
    for (const one of flush.segments()) this.#append(one);
    this.nextOpId = flush.nextOpId;
    this.checkpoint = flush.nextOpId - 1n;
    return this;
  }

  #append(data: SegmentData): void {
    this.segments.push(new Segment(data.index, data.payload));
    this.history.push(...decodeOpElements(data.payload));
  }

  compact(options: Partial<CompactBucketOptions> = {}, maxSteps = Infinity): this {
    const { checkpoint: upTo, hiddenUpTo } = this;
    const steps = compactBucket(this, { upTo, hiddenUpTo, ...options });
    for (let step = 0; step < maxSteps; step++) {
      const { value, done } = steps.next();
      this.segmentsRead = value.segmentsRead;
      if (done === true) break;
    }
    return this;
  }

  newestBelow(opId: OpId) {
    return this.segments.findLast((segment) => segment.index.firstOpId < opId);
  }

  oldestAbove(opId: OpId) {
    return this.segments.find((segment) => segment.index.firstOpId > opId);
  }

  rewrite(change: Rewrite): void {
    const isReplaced = ({ index }: Segment) =>
      index.firstOpId >= change.fromOpId && index.firstOpId <= change.toOpId;
    const added = change.segments.map((one) => new Segment(one.index, one.payload));
    for (const { payload } of added) this.opsWritten += decodeOpElements(payload).length;
    this.segments = [...this.segments.filter((one) => !isReplaced(one)), ...added].toSorted(
      (a, b) => (a.index.firstOpId < b.index.firstOpId ? -1 : 1),
    );
    if (!change.changesOps) return;
    this.epoch += 1;
    this.hiddenUpTo = 0n;
  }

  complete(hiddenUpTo: OpId): void {
    this.hiddenUpTo = hiddenUpTo;
  }

  read(after: OpId, upTo: OpId, fresh: boolean, maxBytes = 2 ** 20) {
    const hideUpTo = fresh ? this.hiddenUpTo : 0n;
    const assembler = new ChunkAssembler({ after, upTo, maxBytes, hideUpTo });
    const left = this.segments.filter((segment) => segment.index.lastOpId > after);
    while (assembler.wantsMore && left[0] !== undefined && assembler.add(left[0])) left.shift();
    const moreSegments = left.some((segment) => segment.index.firstOpId <= upTo);
    return assembler.finish({ epoch: this.epoch, moreSegments });
  }

  sumAt(opId: OpId): number {
    return this.segments.reduce(
      (sum, segment) => (sum + segment.index.sumsUpTo(opId).checksum) >>> 0,
      0,
    );
  }
}

/** A client of the bucket, with the part of the hub's rules that concerns it. */
class TestClient {
  readonly replica: BucketReplica;
  position: OpId;
  fresh: 'start' | number | undefined;
  requires: OpId = 0n;
  received = 0;
  removesReceived = 0;

  constructor(replica = new BucketReplica()) {
    this.replica = replica;
    this.position = replica.lastOpId;
    this.fresh = this.position === 0n ? 'start' : undefined;
  }

  /** Reads one chunk; false at the end. */
  step(bucket: TestBucket, upTo: OpId, maxBytes = 2 ** 20): boolean {
    const isFresh = this.fresh === 'start' || this.fresh === bucket.epoch;
    const chunk = bucket.read(this.position, upTo, isFresh, maxBytes);
    if (chunk === undefined) return false;
    if (this.fresh !== undefined) this.fresh = isFresh ? chunk.epoch : undefined;
    const ops = decodeOpElements(Buffer.concat(chunk.parts));
    this.received += ops.length;
    this.removesReceived += ops.filter((op) => op.kind === 'REMOVE').length;
    this.replica.apply(ops);
    this.position = chunk.lastOpId;
    if (chunk.requiresCheckpoint > this.requires) this.requires = chunk.requiresCheckpoint;
    return chunk.hasMore;
  }

  download(bucket: TestBucket, upTo: OpId, maxBytes = 2 ** 20): this {
    while (this.step(bucket, upTo, maxBytes));
    return this;
  }
}

function state(replica: BucketReplica) {
  const rows = replica.puts().map((put) => `${put.objectId}=${put.data}@${put.opId}`);
  return { rows: rows.toSorted(), checksum: replica.checksum };
}

function reference(bucket: TestBucket, upTo: OpId) {
  return state(new BucketReplica().apply(bucket.history.filter((op) => op.opId <= upTo)));
}

function brief(row: string): string {
  return `${row.slice(0, 20)}${row.slice(-8)}`;
}

describe('compacting a bucket', () => {
  test('from every position clients end where the full history leads, compacted at any step', () => {
    for (let seed = 1; seed <= 120; seed++) {
      const random = new SeededRandom(seed);
      const bucket = new TestBucket();
      const snapshots: BucketReplica[] = [new BucketReplica()];
      for (let round = 0; round < 6; round++) {
        const writes = 1 + random.int(4);
        for (let write = 0; write < writes; write++) {
          const changes = Array.from({ length: 1 + random.int(6) }, () => {
            const data = random.int(3) === 0 ? undefined : `v${random.int(1000)}`;
            return [`r${random.int(8)}`, data] as const;
          });
          bucket.write(changes);
          const upTo = bucket.checkpoint;
          snapshots.push(new BucketReplica().apply(bucket.history.filter((op) => op.opId <= upTo)));
        }
        const maxIdentities = random.int(2) === 0 ? undefined : random.int(8);
        bucket.compact({ maxIdentities }, random.int(3) === 0 ? random.int(6) : Infinity);
        const expected = reference(bucket, bucket.checkpoint);
        for (const snapshot of snapshots) {
          const maxBytes = 1 + random.int(400);
          const client = new TestClient(snapshot.clone());
          client.download(bucket, bucket.checkpoint, maxBytes);
          expect(state(client.replica), `seed ${seed}`).toEqual(expected);
          expect(client.requires <= bucket.checkpoint).toBe(true);
        }
        expect(bucket.sumAt(bucket.checkpoint)).toBe(expected.checksum);
      }
    }
  }, 120_000); // the seeds bound the work: a few seconds on an idle machine

  test('passes given up in the middle and forgetful ones never hide a REMOVE too early', () => {
    // Rows so large that segments stay apart and each step is written.
    const large = 'x'.repeat(100_000);
    for (let seed = 1; seed <= 60; seed++) {
      const random = new SeededRandom(seed);
      const bucket = new TestBucket();
      for (let round = 0; round < 12; round++) {
        bucket.write([
          [`r${random.int(4)}`, random.int(2) === 0 ? undefined : `${random.int(1000)}${large}`],
        ]);
        bucket.compact(
          { maxIdentities: random.int(5) },
          random.int(2) === 0 ? random.int(5) : Infinity,
        );
        const client = new TestClient().download(bucket, bucket.checkpoint);
        const [got, expected] = [client.replica, reference(bucket, bucket.checkpoint)];
        expect(got.checksum).toBe(expected.checksum);
        expect(state(got).rows.map(brief), `seed ${seed}`).toEqual(expected.rows.map(brief));
      }
    }
  });

  test('a download at an older checkpoint is right or says which checkpoint it needs', () => {
    let [complete, invalidated] = [0, 0];
    for (let seed = 1; seed <= 120; seed++) {
      const random = new SeededRandom(seed);
      const bucket = new TestBucket();
      for (let write = 0; write < 6; write++) {
        const changes = Array.from({ length: 1 + random.int(4) }, () => {
          return [
            `r${random.int(5)}`,
            random.int(3) === 0 ? undefined : `v${random.int(1000)}`,
          ] as const;
        });
        bucket.write(changes);
      }
      const old = bucket.checkpoint;
      const client = new TestClient();
      for (let chunks = random.int(4); chunks > 0; chunks--) client.step(bucket, old, 100);
      bucket
        .write([[`r${random.int(15)}`, 'new']])
        .write([[`r${random.int(15)}`, undefined]])
        .compact();
      client.download(bucket, old, 100);
      if (client.requires > old) {
        invalidated += 1;
      } else if (client.replica.lastOpId <= old && bucket.sumAt(old) === client.replica.checksum) {
        complete += 1;
        expect(state(client.replica), `seed ${seed}`).toEqual(reference(bucket, old));
      }
      client.download(bucket, bucket.checkpoint, 100);
      expect(state(client.replica), `seed ${seed}`).toEqual(reference(bucket, bucket.checkpoint));
    }
    expect(complete).toBeGreaterThan(10);
    expect(invalidated).toBeGreaterThan(10);
  });

  test('trap a: what a later checkpoint superseded requires that checkpoint', () => {
    const bucket = new TestBucket().write([
      ['a', '1'],
      ['b', '1'],
    ]);
    const old = bucket.checkpoint;
    bucket.write([['a', '2']]).compact();
    const client = new TestClient().download(bucket, old);
    expect(client.requires).toBe(3n);
    client.download(bucket, bucket.checkpoint);
    expect(state(client.replica)).toEqual(reference(bucket, bucket.checkpoint));
  });

  test('trap b: a download that began before the compaction is not fresh after it', () => {
    const bucket = new TestBucket()
      .write([
        ['a', '1'],
        ['b', '1'],
      ])
      .write([['a', undefined]]);
    const client = new TestClient();
    client.step(bucket, bucket.checkpoint, 1);
    expect(client.replica.rows()).toHaveLength(1);
    bucket.compact();
    client.download(bucket, bucket.checkpoint);
    expect(state(client.replica)).toEqual(reference(bucket, bucket.checkpoint));
  });

  test('trap b, from a pass in the middle: a REMOVE is not hidden while its PUT is there', () => {
    const bucket = new TestBucket();
    const filler = 'x'.repeat(150_000);
    bucket
      .write([
        ['keep', filler],
        ['a', filler],
      ])
      .write([['other', filler]]);
    bucket.write([['a', undefined]]);
    // A complete pass that remembers nothing leaves the REMOVE below `hiddenUpTo`, unmarked.
    bucket.compact({ maxIdentities: 0 });
    expect(bucket.hiddenUpTo).toBe(bucket.checkpoint);
    bucket.compact({}, 2);
    const client = new TestClient().download(bucket, bucket.checkpoint);
    expect(state(client.replica)).toEqual(reference(bucket, bucket.checkpoint));
    expect(client.removesReceived).toBe(1);
    bucket.compact();
    expect(new TestClient().download(bucket, bucket.checkpoint).removesReceived).toBe(0);
  });

  test('a fresh client receives the live rows and one MOVE', () => {
    const bucket = new TestBucket().write([['first', 'x']]);
    for (let at = 0; at < 50; at++)
      bucket.write([
        [`r${at % 5}`, `v${at}`],
        [`gone${at}`, 'x'],
      ]);
    for (let at = 0; at < 50; at++) bucket.write([[`gone${at}`, undefined]]);
    bucket.compact();
    const client = new TestClient().download(bucket, bucket.checkpoint);
    expect(client.received).toBe(6 + 1);
    expect(state(client.replica)).toEqual(reference(bucket, bucket.checkpoint));
    expect(bucket.segments).toHaveLength(1);
    expect(bucket.segments[0]?.index.summary().freshCount).toBe(7);
  });

  test('a leading run without rows becomes one CLEAR, again and again', () => {
    const bucket = new TestBucket()
      .write([['a', '1']])
      .write([['a', undefined]])
      .compact();
    const ops = () => bucket.segments.flatMap((segment) => decodeOpElements(segment.payload));
    expect(ops().map((op) => [op.opId, op.kind])).toEqual([[2n, 'CLEAR']]);
    bucket
      .write([
        ['b', '1'],
        ['c', '1'],
      ])
      .write([['b', '2']])
      .compact();
    expect(ops().map((op) => [op.opId, op.kind])).toEqual([
      [3n, 'CLEAR'],
      [4n, 'PUT'],
      [5n, 'PUT'],
    ]);
    expect(bucket.segments[0]?.index.startsWithClear).toBe(true);
    expect(bucket.sumAt(5n)).toBe(reference(bucket, 5n).checksum);
  });

  test('a second pass without changes rewrites nothing and keeps the epoch', () => {
    const bucket = new TestBucket();
    for (let at = 0; at < 100; at++) bucket.write([[`r${at % 7}`, `v${at}`]]);
    bucket.compact();
    const { epoch, segments } = bucket;
    bucket.compact();
    expect(bucket.epoch).toBe(epoch);
    expect(bucket.segments).toEqual(segments);
  });

  test('ops above the checkpoint are not touched', () => {
    const bucket = new TestBucket().write([['a', '1']]);
    const upTo = bucket.checkpoint;
    bucket.write([['a', '2']]).compact({ upTo });
    expect(new TestClient().download(bucket, upTo).requires).toBe(0n);
  });

  test('a damaged payload is noticed', () => {
    const bucket = new TestBucket().write([['a', '1']]).write([['a', '2']]);
    bucket.segments[0]?.payload.fill(0xff);
    expect(() => bucket.compact()).toThrow(/damaged/);
  });

  test('200,000 ops over 10,000 rows are read at most twice, and written once', () => {
    const bucket = new TestBucket();
    for (let flush = 0; flush < 20; flush++) {
      bucket.write(
        Array.from({ length: 10_000 }, (_, at) => [
          `row-${(at * 7919) % 10_000}`,
          `{"n":${flush}}`,
        ]),
      );
    }
    const { segments } = bucket;
    bucket.compact();
    expect(bucket.segmentsRead).toBeLessThanOrEqual(2 * segments.length);
    expect(bucket.opsWritten).toBeLessThan(10_010);
    const client = new TestClient().download(bucket, bucket.checkpoint);
    expect(client.replica.puts()).toHaveLength(10_000);
    expect(client.received).toBeLessThan(10_010);
    expect(client.replica.checksum).toBe(bucket.sumAt(bucket.checkpoint));
  });
});
