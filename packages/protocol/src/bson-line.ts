import { BsonWriter } from './bson-writer.ts';
import { ByteWriter } from './byte-writer.ts';
import type {
  BucketLineHead,
  BucketLineWriter,
  CheckpointBucket,
  ControlLine,
  DataLineFrame,
  StreamDescription,
} from './line.ts';

/** One line as one BSON document, byte for byte as in spec/protocol.md 11.6. */
export function encodeBsonLine(line: ControlLine): Uint8Array {
  if (line.kind === 'checkpoint') return withBuckets(line, line.buckets);
  if (line.kind === 'checkpoint_diff') return withBuckets(line, line.updatedBuckets);
  const out = new BsonWriter(128);
  out.body(() => {
    if (line.kind === 'token_expires_in') out.integer(line.kind, line.seconds);
    else
      out.document(line.kind, () => {
        out.string('last_op_id', String(line.lastOpId));
        if (line.kind === 'partial_checkpoint_complete') out.integer('priority', line.priority);
      });
  });
  return out.finish();
}

function withBuckets(head: BucketLineHead, buckets: readonly CheckpointBucket[]): Uint8Array {
  const writer = startBsonLine(head, buckets.length);
  for (const bucket of buckets) writer.add(bucket);
  return writer.finish();
}

/** The line that `encodeBsonLine` would make, one bucket at a time; about `buckets` of them. */
export function startBsonLine(head: BucketLineHead, buckets: number): BucketLineWriter {
  const out = new BsonWriter(128 + 96 * buckets);
  const isFull = head.kind === 'checkpoint';
  const outer = out.open();
  const body = out.openDocument(head.kind);
  out.string('last_op_id', String(head.lastOpId));
  if (head.writeCheckpoint !== undefined) {
    out.string('write_checkpoint', String(head.writeCheckpoint));
  }
  if (!isFull) {
    out.array('removed_buckets', head.removedBuckets, (name, index) => out.string(index, name));
  }
  const list = out.openArray(isFull ? 'buckets' : 'updated_buckets');
  let index = 0;
  return {
    add(bucket) {
      writeBucket(out, String(index), bucket);
      index += 1;
    },
    finish() {
      out.close(list);
      if (isFull) writeStreams(out, head.streams);
      out.close(body);
      out.close(outer);
      return out.finish();
    },
  };
}

function writeBucket(out: BsonWriter, index: string, bucket: CheckpointBucket): void {
  out.document(index, () => {
    out.string('bucket', bucket.bucket);
    out.integer('checksum', bucket.checksum | 0);
    out.integer('count', bucket.count);
    out.integer('priority', bucket.priority);
    out.array('subscriptions', bucket.subscriptions, (reason, at) =>
      out.document(at, () => {
        if ('default' in reason) out.integer('default', reason.default);
        else out.integer('sub', reason.sub);
      }),
    );
  });
}

function writeStreams(out: BsonWriter, streams: readonly StreamDescription[]): void {
  out.array('streams', streams, (stream, index) =>
    out.document(index, () => {
      out.string('name', stream.name);
      out.boolean('is_default', stream.isDefault);
      out.array('errors', stream.errors, (error, at) =>
        out.document(at, () => {
          if (error.subscription === 'default') out.string('subscription', 'default');
          else out.integer('subscription', error.subscription);
          out.string('message', error.message);
        }),
      );
    }),
  );
}

const DATA_KEY = 'data\0';
/** Types and keys of the fields of a data line, as they stand in front of the values. */
const BUCKET_KEY = '\u0002bucket\0';
const AFTER_KEY = '\u0002after\0';
const HAS_MORE_KEY = '\u0008has_more\0';
const OPS_KEY = '\u0004data\0';
const NEXT_AFTER_KEY = '\u0002next_after\0';

/**
 * A data line around operations that are BSON array elements already (`op-codec.ts`): a header,
 * the given buffers untouched, and a trailer. `byteLength` is the sum of the parts' lengths.
 */
export function encodeBsonDataLine(
  frame: DataLineFrame,
  parts: readonly Uint8Array[],
  byteLength: number,
): Uint8Array[] {
  const nextAfter = String(frame.nextAfter);
  const trailerLength = 1 + NEXT_AFTER_KEY.length + 4 + nextAfter.length + 1 + 2;
  const header = new ByteWriter(128 + 3 * frame.bucket.length);
  header.int32(0);
  header.byte(0x03);
  header.text(DATA_KEY);
  const innerStart = header.length;
  header.int32(0);
  writeText(header, BUCKET_KEY, frame.bucket);
  writeText(header, AFTER_KEY, String(frame.after));
  header.text(HAS_MORE_KEY);
  header.byte(frame.hasMore ? 1 : 0);
  header.text(OPS_KEY);
  header.int32(byteLength + 5);
  const total = header.length + byteLength + trailerLength;
  header.patchInt32(0, total);
  header.patchInt32(innerStart, total - innerStart - 1);
  const trailer = new ByteWriter(trailerLength + 2 * nextAfter.length);
  trailer.byte(0);
  writeText(trailer, NEXT_AFTER_KEY, nextAfter);
  trailer.byte(0);
  trailer.byte(0);
  return [header.finish(), ...parts, trailer.finish()];
}

function writeText(out: ByteWriter, key: string, value: string): void {
  out.text(key);
  const lengthAt = out.length;
  out.int32(0);
  const byteLength = out.text(value);
  out.byte(0);
  out.patchInt32(lengthAt, byteLength + 1);
}
