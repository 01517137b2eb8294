import type { OpId } from '@sluice/model';
import {
  BucketReplica,
  decodeOpElements,
  encodeOpElement,
  type Op,
  putChecksum,
  removeChecksum,
} from '@sluice/protocol';
import { expect } from 'vitest';
import type { GenerationReader, OpsChunk } from '../contract.ts';

/** One client's copy of one bucket, downloaded by the rules that the hub follows. */
export class BucketClient {
  readonly bucket: string;
  readonly replica: BucketReplica;
  /** Every op received, in order. */
  readonly received: Op[] = [];
  /** The client stands here; everything up to it was received. */
  position: OpId;
  /** Highest `requiresCheckpoint` of what was received. */
  requires: OpId = 0n;
  #fresh: 'start' | number | undefined;

  constructor(bucket: string, replica = new BucketReplica(), position: OpId = 0n) {
    this.bucket = bucket;
    this.replica = replica;
    this.position = position;
    this.#fresh = position === 0n ? 'start' : undefined;
  }

  /** The same client, to be taken on by itself. */
  clone(): BucketClient {
    const copy = new BucketClient(this.bucket, this.replica.clone(), this.position);
    copy.#fresh = this.#fresh;
    copy.requires = this.requires;
    return copy;
  }

  /** Reads one chunk up to `upTo`; false when there is nothing more. */
  async step(reader: GenerationReader, upTo: OpId, maxBytes = 2 ** 20): Promise<boolean> {
    const { bucket, position: after } = this;
    const chunk = await reader.readOps({ bucket, after, upTo, maxBytes, fresh: this.#fresh });
    if (chunk === undefined) return false;
    const ops = decodeOpElements(Buffer.concat(chunk.parts));
    checkChunk(chunk, ops, after, upTo, maxBytes);
    this.replica.apply(ops);
    this.received.push(...ops);
    this.position = chunk.lastOpId;
    if (chunk.requiresCheckpoint > this.requires) this.requires = chunk.requiresCheckpoint;
    if (this.#fresh === 'start') this.#fresh = chunk.epoch;
    return chunk.hasMore;
  }

  async download(reader: GenerationReader, upTo: OpId, maxBytes?: number): Promise<this> {
    while (await this.step(reader, upTo, maxBytes));
    // A client stands at the checkpoint afterwards (spec/protocol.md 8.6.2).
    if (upTo > this.position) this.position = upTo;
    // From now on it holds something of the bucket.
    this.#fresh = undefined;
    return this;
  }

  /** Compares the checksum with what the checkpoint announces; the download must be complete. */
  async verify(reader: GenerationReader, at: OpId): Promise<void> {
    const [state] = await reader.bucketStates([this.bucket], at);
    expect(this.requires <= at, 'the download may be completed').toBe(true);
    expect(this.replica.checksum, 'checksum of the bucket').toBe(state?.checksum);
  }

  rows(): readonly string[] {
    const rows = this.replica.rows().map((op) => `${op.objectType}/${op.objectId}=${op.data}`);
    return rows.toSorted();
  }
}

/** What the contract says of any chunk. */
function checkChunk(
  chunk: OpsChunk,
  ops: readonly Op[],
  after: OpId,
  upTo: OpId,
  maxBytes: number,
): void {
  const sizes = chunk.parts.map((part) => part.length);
  expect(chunk.byteLength).toBe(sizes.reduce((sum, size) => sum + size, 0));
  expect(chunk.opCount).toBe(ops.length);
  expect(ops.length).toBeGreaterThan(0);
  // A REMOVE or PUT left out at the end of a chunk leaves a MOVE, so the last op is always there.
  expect(chunk.lastOpId).toBe(ops.at(-1)?.opId);
  expect(chunk.lastOpId <= upTo).toBe(true);
  let last = after;
  for (const op of ops) {
    expect(op.opId > last, 'op ids rise').toBe(true);
    last = op.opId;
    if (op.kind === 'PUT')
      expect(op.checksum).toBe(putChecksum(op.objectType, op.objectId, op.data));
    if (op.kind === 'REMOVE') expect(op.checksum).toBe(removeChecksum(op.subkey));
  }
  expect(ops.filter((op) => op.kind === 'MOVE').length).toBeLessThanOrEqual(1);
  checkSize(ops, chunk.byteLength, maxBytes);
}

/** A chunk ends with the op that reaches the size; a MOVE for dropped ops does not count. */
function checkSize(ops: readonly Op[], byteLength: number, maxBytes: number): void {
  const real = ops.filter((op) => op.kind !== 'MOVE');
  const last = real.at(-1);
  if (last === undefined || real.length === 1) return;
  const rest = ops.filter((op) => op !== last);
  const restBytes = rest.reduce((sum, op) => sum + encodeOpElement(op).length, 0);
  const moveBytes = byteLength - real.reduce((sum, op) => sum + encodeOpElement(op).length, 0);
  expect(restBytes - moveBytes, 'bytes before the last op').toBeLessThan(maxBytes);
}
