import type {
  BucketLineHead,
  BucketLineWriter,
  CheckpointBucket,
  ControlLine,
  DataLineFrame,
  StreamDescription,
} from './line.ts';

/** One line as JSON text with its line feed, as UTF-8 (spec/protocol.md 2.3). */
export function encodeJsonLine(line: ControlLine): Uint8Array {
  if (line.kind === 'checkpoint') return withBuckets(line, line.buckets);
  if (line.kind === 'checkpoint_diff') return withBuckets(line, line.updatedBuckets);
  return new TextEncoder().encode(`${JSON.stringify({ [line.kind]: lineBody(line) })}\n`);
}

function lineBody(line: Exclude<ControlLine, { readonly kind: BucketLineHead['kind'] }>): unknown {
  switch (line.kind) {
    case 'checkpoint_complete':
      return { last_op_id: String(line.lastOpId) };
    case 'partial_checkpoint_complete':
      return { last_op_id: String(line.lastOpId), priority: line.priority };
    case 'token_expires_in':
      return line.seconds;
  }
}

function withBuckets(head: BucketLineHead, buckets: readonly CheckpointBucket[]): Uint8Array {
  const writer = startJsonLine(head);
  for (const bucket of buckets) writer.add(bucket);
  return writer.finish();
}

/** Text is turned into bytes in pieces of about so many characters. */
const PIECE_CHARS = 64 * 1024;

/** The line that `encodeJsonLine` would make, one bucket at a time. */
export function startJsonLine(head: BucketLineHead): BucketLineWriter {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  let [text, tail] = jsonFrame(head);
  let separator = '';
  return {
    add(bucket) {
      text += separator + JSON.stringify(bucketBody(bucket));
      separator = ',';
      if (text.length < PIECE_CHARS) return;
      pieces.push(encoder.encode(text));
      text = '';
    },
    finish() {
      const last = encoder.encode(text + tail);
      return pieces.length === 0 ? last : joined([...pieces, last]);
    },
  };
}

/** What stands before the buckets, and behind them. */
function jsonFrame(head: BucketLineHead): [string, string] {
  const isFull = head.kind === 'checkpoint';
  const fields = {
    last_op_id: String(head.lastOpId),
    write_checkpoint: head.writeCheckpoint?.toString(),
    removed_buckets: isFull ? undefined : head.removedBuckets,
  };
  const begun = `{"${head.kind}":${JSON.stringify(fields).slice(0, -1)}`;
  if (!isFull) return [`${begun},"updated_buckets":[`, ']}}\n'];
  const streams = JSON.stringify(head.streams.map(streamBody));
  return [`${begun},"buckets":[`, `],"streams":${streams}}}\n`];
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function bucketBody(bucket: CheckpointBucket): unknown {
  return {
    bucket: bucket.bucket,
    checksum: bucket.checksum | 0,
    count: bucket.count,
    priority: bucket.priority,
    subscriptions: bucket.subscriptions,
  };
}

function streamBody(stream: StreamDescription): unknown {
  return { name: stream.name, is_default: stream.isDefault, errors: stream.errors };
}

/**
 * A data line around operations that are JSON already (`opsToJson`): a header, the given buffer
 * untouched, and a trailer.
 */
export function encodeJsonDataLine(frame: DataLineFrame, ops: Uint8Array): Uint8Array[] {
  const bucket = JSON.stringify(frame.bucket);
  const encoder = new TextEncoder();
  const header = `{"data":{"bucket":${bucket},"after":"${frame.after}","has_more":${frame.hasMore},"data":[`;
  return [encoder.encode(header), ops, encoder.encode(`],"next_after":"${frame.nextAfter}"}}\n`)];
}
