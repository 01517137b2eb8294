import type { OpId } from '@sluice/model';
import {
  opElementBytes,
  opIdDigits,
  OpTailWriter,
  writeOpHead,
  writeOpHeadText,
} from '@sluice/protocol';
import { IndexEncoder, type SegmentData } from './encode-index.ts';
import { KIND_CLEAR, KIND_PUT, KIND_REMOVE, type VisibleKind } from './segment-index.ts';

/** A segment ends at the op with which it reaches either. */
export const SEGMENT_MAX_BYTES = 128 * 1024;
export const SEGMENT_MAX_OPS = 2000;

/** An op without its op id and bucket; valid until the next `reset`. */
export type OpTail = number & { readonly brand: 'OpTail' };

/** A segment that a flush built, and the bucket it belongs to. */
export interface FlushedSegment extends SegmentData {
  readonly bucket: number;
}

/**
 * Collects the ops of one write to many buckets and builds their segments. The tail of an op is
 * encoded once however many buckets it goes to; each bucket costs one copy when built. Op ids are
 * consecutive from `firstOpId`, in the order of `add` and `reserve`.
 *
 *     const tail = flush.put('lists', 'L1', subkey, checksum, json);
 *     flush.add(bucketA, tail);  flush.add(bucketB, tail);
 *     for (const segment of flush.segments()) ...
 *     flush.reset(flush.nextOpId);
 *
 * Memory: `byteLength` says how much; the caller decides when to build and reset.
 */
export class SegmentFlush {
  readonly #tails = new OpTailWriter();
  readonly #tailList = new WordList();
  /** Per op: tail, op number (offset from `firstOpId`), and the bucket's next op plus one. */
  readonly #opTails = new WordList();
  readonly #opNumbers = new WordList();
  readonly #next = new WordList();
  readonly #heads = new Map<number, { first: number; last: number }>();
  #firstOpId: OpId;
  #used = 0;

  constructor(firstOpId: OpId) {
    this.#firstOpId = firstOpId;
  }

  /** The op id that the next `add` or `reserve` takes. */
  get nextOpId(): OpId {
    return this.#firstOpId + BigInt(this.#used);
  }

  /** Ops added since the last reset. */
  get opCount(): number {
    return this.#opTails.length;
  }

  /** About how much memory the collected ops take. */
  get byteLength(): number {
    return this.#tails.length + this.opCount * 12 + this.#tailList.length * 4;
  }

  put(
    objectType: string,
    objectId: string,
    subkey: string,
    checksum: number,
    data: string,
  ): OpTail {
    const start = this.#tails.put(objectType, objectId, subkey, checksum, data);
    return this.#tail(start, checksum, KIND_PUT);
  }

  remove(objectType: string, objectId: string, subkey: string, checksum: number): OpTail {
    const start = this.#tails.remove(objectType, objectId, subkey, checksum);
    return this.#tail(start, checksum, KIND_REMOVE);
  }

  clear(checksum: number): OpTail {
    return this.#tail(this.#tails.clear(checksum), checksum, KIND_CLEAR);
  }

  /** Appends the op to a bucket, under the next op id. */
  add(bucket: number, tail: OpTail): void {
    const op = this.#opTails.push(tail);
    this.#opNumbers.push(this.#used++);
    this.#next.push(0);
    const head = this.#heads.get(bucket);
    if (head === undefined) {
      this.#heads.set(bucket, { first: op, last: op });
    } else {
      this.#next.set(head.last, op + 1);
      head.last = op;
    }
  }

  /** Takes op ids for something that is not an op, e.g. a lookup entry; gives the first of them. */
  reserve(count = 1): OpId {
    const first = this.nextOpId;
    this.#used += count;
    return first;
  }

  /** Builds the segments, bucket by bucket in the order of their first op. */
  *segments(): Generator<FlushedSegment> {
    for (const [bucket, head] of this.#heads) {
      let op = head.first + 1;
      while (op > 0) {
        const run = this.#measure(op - 1);
        yield { bucket, ...this.#build(op - 1, run) };
        op = run.next;
      }
    }
  }

  /** Forgets all ops and tails. */
  reset(firstOpId: OpId): void {
    this.#firstOpId = firstOpId;
    this.#used = 0;
    this.#tails.reset();
    this.#heads.clear();
    for (const list of [this.#tailList, this.#opTails, this.#opNumbers, this.#next]) list.clear();
  }

  /** A tail is four words: start, end, checksum, kind. */
  #tail(start: number, checksum: number, kind: VisibleKind): OpTail {
    const at = this.#tailList.push(start);
    this.#tailList.push(this.#tails.length);
    this.#tailList.push(checksum);
    this.#tailList.push(kind);
    return at as OpTail;
  }

  #measure(firstOp: number): { ops: number; bytes: number; next: number } {
    let [ops, bytes, op] = [0, 0, firstOp + 1];
    while (op > 0 && ops < SEGMENT_MAX_OPS && bytes < SEGMENT_MAX_BYTES) {
      const tail = this.#opTails.get(op - 1);
      const tailBytes = this.#tailList.get(tail + 1) - this.#tailList.get(tail);
      bytes += opElementBytes(this.#digits(this.#opNumbers.get(op - 1)), tailBytes);
      ops += 1;
      op = this.#next.get(op - 1);
    }
    return { ops, bytes, next: op };
  }

  #build(firstOp: number, run: { ops: number; bytes: number }): SegmentData {
    const firstNumber = this.#opNumbers.get(firstOp);
    const firstOpId = this.#firstOpId + BigInt(firstNumber);
    const encoder = new IndexEncoder({
      dropped: 0,
      visible: run.ops,
      firstOpId,
      requiresCheckpoint: 0n,
    });
    const payload = Buffer.allocUnsafe(run.bytes);
    let at = 0;
    let op = firstOp + 1;
    for (let left = run.ops; left > 0; left--) {
      const number = this.#opNumbers.get(op - 1);
      const end = this.#element(payload, at, number, this.#opTails.get(op - 1));
      const tail = this.#opTails.get(op - 1);
      const kind = this.#tailList.get(tail + 3) as VisibleKind;
      encoder.keep(number - firstNumber, this.#tailList.get(tail + 2), end - at, kind, false);
      at = end;
      op = this.#next.get(op - 1);
    }
    return encoder.finish(payload);
  }

  #element(payload: Buffer, at: number, opNumber: number, tail: number): number {
    const start = this.#tailList.get(tail);
    const end = this.#tailList.get(tail + 1);
    const body = this.#head(payload, at, opNumber, end - start);
    this.#tails.bytes.copy(payload, body, start, end);
    return body + (end - start);
  }

  #head(payload: Buffer, at: number, opNumber: number, tailBytes: number): number {
    if (this.#isSafe) {
      const opId = Number(this.#firstOpId) + opNumber;
      return writeOpHead(payload, at, opId, opIdDigits(opId), tailBytes);
    }
    const opId = this.#firstOpId + BigInt(opNumber);
    return writeOpHeadText(payload, at, opId.toString(), tailBytes);
  }

  #digits(opNumber: number): number {
    if (this.#isSafe) return opIdDigits(Number(this.#firstOpId) + opNumber);
    return (this.#firstOpId + BigInt(opNumber)).toString().length;
  }

  get #isSafe(): boolean {
    return this.#firstOpId < 2n ** 52n;
  }
}

/** A growing list of u32. */
class WordList {
  #words = new Uint32Array(1024);
  length = 0;

  get(index: number): number {
    return this.#words[index] as number;
  }

  set(index: number, value: number): void {
    this.#words[index] = value;
  }

  /** Returns the index of the new element. */
  push(value: number): number {
    if (this.length === this.#words.length) {
      const grown = new Uint32Array(this.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[this.length] = value;
    return this.length++;
  }

  clear(): void {
    this.length = 0;
  }
}
