import { decodeOpElements, encodeOpElement, type Op } from '@sluice/protocol';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { ChunkAssembler } from './chunk-assembler.ts';
import { IndexEncoder, type SegmentData } from './encode-index.ts';
import { mergeSegments } from './merge-segments.ts';
import { SEGMENT_MAX_BYTES, SegmentFlush } from './segment-flush.ts';
import { KIND_CLEAR, KIND_PUT, KIND_REMOVE } from './segment-index.ts';
import { Segment } from './segment.ts';

type TestOp = Op & { readonly dropped?: boolean; readonly hidden?: boolean };

/** A segment written op by op, for slicing tests. */
function segmentOf(ops: readonly TestOp[], requiresCheckpoint = 0n): Segment {
  const first = ops[0]?.opId ?? 0n;
  const dropped = ops.filter((op) => op.dropped).length;
  const encoder = new IndexEncoder({
    dropped,
    visible: ops.length - dropped,
    firstOpId: first,
    requiresCheckpoint,
  });
  const elements: Uint8Array[] = [];
  for (const op of ops) {
    const delta = Number(op.opId - first);
    if (op.dropped) {
      encoder.drop(delta, op.checksum);
      continue;
    }
    const element = encodeOpElement(op);
    elements.push(element);
    const kind = op.kind === 'PUT' ? KIND_PUT : op.kind === 'REMOVE' ? KIND_REMOVE : KIND_CLEAR;
    encoder.keep(delta, op.checksum, element.length, kind, op.hidden ?? false);
  }
  const data = encoder.finish(Buffer.concat(elements));
  const segment = new Segment(data.index, data.payload);
  expect(data.summary).toEqual(segment.index.summary());
  return segment;
}

/** The slow, obvious reading of a slice. */
function expectedOps(
  ops: readonly TestOp[],
  after: bigint,
  upTo: bigint,
  fresh: boolean,
): { opId: bigint; kind: string; checksum: number }[] {
  const asked = ops.filter((op) => op.opId > after && op.opId <= upTo);
  const isFolded = (op: TestOp) => op.dropped || (fresh && op.hidden);
  const folded = asked.filter(isFolded);
  const last = folded.at(-1);
  const sum = folded.reduce((total, op) => (total + op.checksum) >>> 0, 0);
  const out: { opId: bigint; kind: string; checksum: number }[] = [];
  for (const op of asked) {
    if (op === last) out.push({ opId: op.opId, kind: 'MOVE', checksum: sum });
    else if (!isFolded(op)) out.push({ opId: op.opId, kind: op.kind, checksum: op.checksum });
  }
  return out;
}

function read(
  segments: readonly Segment[],
  after: bigint,
  upTo: bigint,
  { maxBytes = 2 ** 20, fresh = false } = {},
) {
  const assembler = new ChunkAssembler({ after, upTo, maxBytes, hideUpTo: fresh ? upTo : 0n });
  const left = segments.filter((segment) => segment.index.lastOpId > after);
  while (assembler.wantsMore && left.length > 0) {
    if (!assembler.add(left[0] as Segment)) break;
    left.shift();
  }
  const moreSegments = left.some((segment) => segment.index.firstOpId <= upTo);
  return assembler.finish({ epoch: 1, moreSegments });
}

function brief(ops: readonly Op[]) {
  return ops.map(({ opId, kind, checksum }) => ({ opId, kind, checksum }));
}

function randomOps(random: SeededRandom, count: number, firstOpId = 5n): TestOp[] {
  const ops: TestOp[] = [];
  let opId = firstOpId;
  for (let at = 0; at < count; at++) {
    const checksum = random.int(2 ** 32);
    const row = { objectType: 't', objectId: String(at), subkey: `s${at}`, checksum };
    const dropped = random.chance(0.4);
    if (random.chance(0.3))
      ops.push({ kind: 'REMOVE', opId, ...row, dropped, hidden: random.chance(0.5) });
    else ops.push({ kind: 'PUT', opId, ...row, dropped, data: 'd'.repeat(random.int(40)) });
    opId += BigInt(1 + random.int(3));
  }
  return ops;
}

describe('slicing', () => {
  test('random segments, ranges and modes equal the obvious reading', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new SeededRandom(seed);
      const ops = randomOps(random, 1 + random.int(20));
      const cuts = [...ops.keys()].filter((at) => at > 0 && random.chance(0.2));
      const segments = [0, ...cuts].map((from, i) =>
        segmentOf(ops.slice(from, cuts[i] ?? ops.length)),
      );
      for (let after = 4n; after <= (ops.at(-1)?.opId ?? 0n) + 1n; after++) {
        const upTo = after + BigInt(random.int(30));
        for (const fresh of [false, true]) {
          const chunk = read(segments, after, upTo, { fresh });
          const got = chunk === undefined ? [] : decodeOpElements(Buffer.concat(chunk.parts));
          expect(brief(got), `seed ${seed}`).toEqual(expectedOps(ops, after, upTo, fresh));
          expect(chunk?.opCount ?? 0).toBe(got.length);
          const bytes = (chunk?.parts ?? []).reduce((sum, part) => sum + part.length, 0);
          expect(chunk?.byteLength ?? 0).toBe(bytes);
          expect(chunk?.hasMore ?? false).toBe(false);
        }
      }
    }
  });

  test('chunks of any size follow each other without gap, and reach their size', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = new SeededRandom(seed);
      const ops = randomOps(random, 30);
      const segments = [segmentOf(ops.slice(0, 11)), segmentOf(ops.slice(11))];
      const upTo = ops.at(-1)?.opId ?? 0n;
      const maxBytes = 1 + random.int(600);
      const total = ops.reduce((sum, op) => (sum + op.checksum) >>> 0, 0);
      let [after, sum, visible] = [0n, 0, 0];
      for (;;) {
        const chunk = read(segments, after, upTo, { maxBytes });
        if (chunk === undefined) break;
        const got = decodeOpElements(Buffer.concat(chunk.parts));
        expect(chunk.lastOpId > after).toBe(true);
        expect(got.at(-1)?.opId).toBe(chunk.lastOpId);
        sum = got.reduce((part, op) => (part + op.checksum) >>> 0, sum);
        visible += got.filter((op) => op.kind !== 'MOVE').length;
        after = chunk.lastOpId;
        expect(chunk.hasMore, `seed ${seed}`).toBe(after < upTo);
      }
      expect([after, sum]).toEqual([upTo, total]);
      expect(visible).toBe(ops.filter((op) => !op.dropped).length);
    }
  });

  test('a whole segment without dropped ops is its payload, the same object every time', () => {
    const segment = segmentOf(
      randomOps(new SeededRandom(3), 20).map((op) => ({ ...op, dropped: false })),
    );
    const [one, two] = [read([segment], 0n, 1000n), read([segment], 2n, 2000n)];
    expect(one?.parts[0]).toBe(segment.payload);
    expect(one?.identity).toBeDefined();
    expect(two?.identity).toBe(one?.identity);
  });

  test('a larger op comes alone', () => {
    const row = { kind: 'PUT', objectType: 't', objectId: 'x', subkey: 's', checksum: 1 } as const;
    const ops = [1n, 2n, 3n].map((opId): Op => ({
      ...row,
      opId,
      data: 'x'.repeat(opId === 2n ? 500 : 5),
    }));
    const lasts: bigint[] = [];
    for (let after = 0n; after < 3n; after = lasts.at(-1) ?? 3n) {
      lasts.push(read([segmentOf(ops)], after, 3n, { maxBytes: 250 })?.lastOpId ?? 0n);
    }
    expect(lasts).toEqual([1n, 2n, 3n]);
  });

  test('only ranges that hold dropped ops require a checkpoint', () => {
    const ops = randomOps(new SeededRandom(1), 4).map((op, at) => ({
      ...op,
      dropped: at === 1,
      opId: BigInt(at + 1),
    }));
    const segment = segmentOf(ops, 77n);
    expect(read([segment], 0n, 1n)?.requiresCheckpoint).toBe(0n);
    expect(read([segment], 0n, 2n)?.requiresCheckpoint).toBe(77n);
    expect(read([segment], 2n, 4n)?.requiresCheckpoint).toBe(0n);
  });
});

describe('sums', () => {
  test('partial sums equal sums over the ops', () => {
    const ops = randomOps(new SeededRandom(9), 50);
    const segment = segmentOf(ops);
    for (let upTo = 0n; upTo < 160n; upTo++) {
      const taken = ops.filter((op) => op.opId <= upTo);
      const sums = segment.index.sumsUpTo(upTo);
      expect(sums.checksum).toBe(taken.reduce((sum, op) => (sum + op.checksum) >>> 0, 0));
      expect(sums.freshCount).toBe(expectedOps(ops, 0n, upTo, true).length);
      expect(sums.lastOpId).toBe(taken.at(-1)?.opId ?? 0n);
    }
    expect(segment.index.summary()).toMatchObject({
      checksum: segment.index.sumsUpTo(1000n).checksum,
      freshCount: segment.index.sumsUpTo(1000n).freshCount,
      opCount: 50,
    });
  });
});

describe('damage', () => {
  test('changed counts, sums and checksums of an index are noticed', () => {
    const { index, payload } = segmentOf(randomOps(new SeededRandom(5), 12));
    const columns = [index.droppedChecksums, index.checksums];
    const places = columns.flatMap((column) =>
      Array.from(column.keys(), (at) => column.byteOffset / 4 + at),
    );
    for (const at of [0, 1, 2, 3, 4, 9, 10, 11, ...places]) {
      const copy = Uint8Array.from(index.bytes);
      const words = new Uint32Array(copy.buffer);
      words[at] = (words[at] ?? 0) ^ 0x10;
      expect(() => new Segment(copy, payload), `word ${at}`).toThrow(/A segment cannot be read/);
    }
    expect(() => new Segment(index.bytes.subarray(4), payload)).toThrow(/cannot be read/);
    expect(() => new Segment(index.bytes, payload.subarray(1))).toThrow(/another size/);
  });

  test('op ids out of order are noticed', () => {
    const { index, payload } = segmentOf(randomOps(new SeededRandom(5), 12));
    for (const column of [index.deltas, index.droppedDeltas]) {
      const copy = Uint8Array.from(index.bytes);
      new Uint32Array(copy.buffer)[column.byteOffset / 4 + 1] = 0;
      expect(() => new Segment(copy, payload)).toThrow(/do not rise|not the lowest/);
    }
  });

  test('an index at an odd address is read all the same', () => {
    const { index, payload } = segmentOf(randomOps(new SeededRandom(6), 12));
    const shifted = new Uint8Array(index.bytes.length + 1);
    shifted.set(index.bytes, 1);
    expect(new Segment(shifted.subarray(1), payload).index.summary()).toEqual(index.summary());
  });
});

describe('flushing', () => {
  test('ops of many buckets become their segments, in op order', () => {
    const random = new SeededRandom(4);
    const flush = new SegmentFlush(998n);
    const expected = new Map<number, Op[]>();
    for (let at = 0; at < 300; at++) {
      const row = { objectType: `t${at % 3}`, objectId: `é${at}`, subkey: `k/${at}` };
      const checksum = random.int(2 ** 32);
      const data = `{"n":${at}}`;
      const tail =
        at % 4 === 0
          ? flush.remove(row.objectType, row.objectId, row.subkey, checksum)
          : flush.put(row.objectType, row.objectId, row.subkey, checksum, data);
      for (let bucket = 0; bucket < 5; bucket++) {
        if (random.chance(0.5)) continue;
        const op = { opId: flush.nextOpId, ...row, checksum };
        const ops = expected.get(bucket) ?? [];
        ops.push(at % 4 === 0 ? { kind: 'REMOVE', ...op } : { kind: 'PUT', ...op, data });
        expected.set(bucket, ops);
        flush.add(bucket, tail);
      }
      if (random.chance(0.1)) flush.reserve(3);
    }
    expect(decodeAll(flush.segments())).toEqual(expected);
  });

  test('op ids above 2^53 stay exact', () => {
    const flush = new SegmentFlush(2n ** 62n);
    flush.reserve();
    flush.add(1, flush.put('t', 'a', 's', 1, '{}'));
    const [segment] = [...flush.segments()];
    expect(segment?.summary.firstOpId).toBe(2n ** 62n + 1n);
    expect(decodeOpElements(segment?.payload ?? Buffer.alloc(0))[0]?.opId).toBe(2n ** 62n + 1n);
  });

  test('segments split by size and by count, and merge back', () => {
    const flush = new SegmentFlush(1n);
    for (let at = 0; at < 5000; at++) flush.add(7, flush.put('t', `${at}`, 's', at, '{}'));
    for (let at = 0; at < 5; at++)
      flush.add(8, flush.put('t', `${at}`, 's', at, 'x'.repeat(50_000)));
    const built = [...flush.segments()];
    const isFull = built.map(
      ({ payload, summary }) => payload.length >= SEGMENT_MAX_BYTES || summary.opCount >= 2000,
    );
    expect(isFull).toEqual([true, true, true, true, false, true, false]);
    expect(built.map((one) => one.bucket)).toEqual([7, 7, 7, 7, 7, 8, 8]);
    const merged = mergeSegments(
      built.slice(0, 5).map((one) => new Segment(one.index, one.payload)),
    );
    expect(decodeOpElements(merged.payload).map((op) => op.opId)).toEqual(
      Array.from({ length: 5000 }, (_, at) => BigInt(at + 1)),
    );
    expect(new Segment(merged.index, merged.payload).index.opCount).toBe(5000);
  });

  test('a flush can be used again', () => {
    const flush = new SegmentFlush(1n);
    flush.add(1, flush.put('t', 'a', 's', 1, '{}'));
    flush.reset(10n);
    expect([flush.opCount, flush.nextOpId]).toEqual([0, 10n]);
    flush.add(2, flush.clear(5));
    expect(decodeAll(flush.segments())).toEqual(
      new Map([[2, [{ kind: 'CLEAR', opId: 10n, checksum: 5 }]]]),
    );
  });
});

function decodeAll(segments: Iterable<SegmentData & { bucket: number }>): Map<number, Op[]> {
  const ops = new Map<number, Op[]>();
  for (const one of segments) {
    const { index, payload } = new Segment(one.index, one.payload);
    expect(index.summary()).toEqual(one.summary);
    ops.set(one.bucket, [...(ops.get(one.bucket) ?? []), ...decodeOpElements(payload)]);
  }
  return ops;
}
