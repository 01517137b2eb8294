import { assert, must } from '@sluice/base';
import type { OpId } from '@sluice/model';
import {
  BucketReplica,
  parseLine,
  type CheckpointBucket,
  type DataLine,
  type Line,
} from '@sluice/protocol';
import { deserialize } from 'bson';

interface HeldBucket {
  /** `after` of the next request: the last operation, or the checkpoint completed since. */
  position: OpId;
  readonly replica: BucketReplica;
}

/**
 * The client's half of a sync stream, slow and obvious. Keeps what a client keeps between
 * connections, and asserts the guarantees of spec/protocol.md 2.5 on every line, and that the
 * checksums match at every completion.
 */
export class ScriptedSyncClient {
  readonly #buckets = new Map<string, HeldBucket>();
  #announced: Map<string, CheckpointBucket> | undefined;
  #lastOpId = 0n;
  #priority = -1;
  writeCheckpoint: bigint | undefined;
  /** `last_op_id` of the last checkpoint that was completed. */
  completed: OpId | undefined;
  readonly lines: Line[] = [];

  /** For the `buckets` of the next request. */
  heldBuckets(): { name: string; after: OpId }[] {
    return [...this.#buckets].map(([name, held]) => ({ name, after: held.position }));
  }

  /** Live rows as `bucket type/id/subkey` with their data, over all buckets held. */
  rows(): Map<string, string> {
    const rows = new Map<string, string>();
    for (const [name, { replica }] of this.#buckets) {
      for (const { objectType, objectId, subkey, data } of replica.puts()) {
        rows.set(`${name} ${objectType}/${objectId}/${subkey}`, data);
      }
    }
    return rows;
  }

  /** A new connection: nothing is announced yet. */
  connect(): void {
    this.#announced = undefined;
    this.writeCheckpoint = undefined;
  }

  receive(batch: readonly Uint8Array[], format: 'ndjson' | 'bson'): Line[] {
    const lines = decodeLines(Buffer.concat(batch), format);
    for (const line of lines) this.#take(line);
    this.lines.push(...lines);
    return lines;
  }

  #take(line: Line): void {
    if (line.kind === 'token_expires_in') return;
    if (line.kind === 'checkpoint') {
      assert(this.#announced === undefined, 'there is one checkpoint line per connection');
      this.#announced = new Map(line.buckets.map((bucket) => [bucket.bucket, bucket]));
      this.#begin(line.lastOpId, line.writeCheckpoint);
      for (const name of this.#buckets.keys()) {
        if (!this.#announced.has(name)) this.#buckets.delete(name);
      }
      return;
    }
    const announced = must(this.#announced, 'a checkpoint line before any other');
    if (line.kind === 'checkpoint_diff') {
      for (const name of line.removedBuckets) {
        assert(announced.delete(name), 'only buckets that were announced are removed');
        this.#buckets.delete(name);
      }
      for (const bucket of line.updatedBuckets) announced.set(bucket.bucket, bucket);
      this.#begin(line.lastOpId, line.writeCheckpoint);
    } else if (line.kind === 'data') {
      this.#apply(line, must(announced.get(line.bucket), 'an announced bucket'));
    } else {
      assert(line.lastOpId === this.#lastOpId, 'a completion is of the last checkpoint');
      const upTo = line.kind === 'checkpoint_complete' ? Infinity : line.priority;
      this.#validate([...announced.values()].filter(({ priority }) => priority <= upTo));
      this.#priority = Math.max(this.#priority, upTo);
      if (upTo === Infinity) this.completed = line.lastOpId;
    }
  }

  #begin(lastOpId: OpId, writeCheckpoint: bigint | undefined): void {
    assert(lastOpId >= this.#lastOpId, 'checkpoints do not go back');
    assert(
      this.writeCheckpoint === undefined ||
        (writeCheckpoint !== undefined && writeCheckpoint >= this.writeCheckpoint),
      'a write checkpoint is not lowered within a connection',
    );
    this.#lastOpId = lastOpId;
    this.#priority = -1;
    this.writeCheckpoint = writeCheckpoint;
  }

  #apply(line: DataLine, { priority }: CheckpointBucket): void {
    assert(priority > this.#priority, 'a completed priority has no more data');
    assert(line.ops.length > 0, 'no data line is empty');
    const held = this.#buckets.get(line.bucket) ?? { position: 0n, replica: new BucketReplica() };
    this.#buckets.set(line.bucket, held);
    for (const op of line.ops) {
      assert(op.opId > held.position, 'operations of a bucket rise, without repetition');
      assert(op.opId <= this.#lastOpId, 'operations belong to the checkpoint');
      held.position = op.opId;
    }
    held.replica.apply(line.ops);
    assert(line.nextAfter === held.position, 'next_after is the last operation');
  }

  #validate(buckets: readonly CheckpointBucket[]): void {
    for (const { bucket, checksum } of buckets) {
      const held = this.#buckets.get(bucket);
      assert((held?.replica.checksum ?? 0) === checksum >>> 0, `the checksum of ${bucket} matches`);
      if (held !== undefined && held.position < this.#lastOpId) held.position = this.#lastOpId;
    }
  }
}

function decodeLines(bytes: Buffer, format: 'ndjson' | 'bson'): Line[] {
  return format === 'ndjson' ? decodeJsonLines(bytes) : decodeBsonLines(bytes);
}

function decodeJsonLines(bytes: Buffer): Line[] {
  const text = bytes.toString('utf8');
  assert(text.endsWith('\n'), 'a batch holds whole lines');
  const lines = text.trimEnd().split('\n');
  return lines.map((line) => must(parseLine(JSON.parse(line)), 'a known line'));
}

function decodeBsonLines(bytes: Buffer): Line[] {
  const lines: Line[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at)) {
    const document = bytes.subarray(at, at + bytes.readInt32LE(at));
    lines.push(must(parseLine(deserialize(document)), 'a known line'));
  }
  return lines;
}
