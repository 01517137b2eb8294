import type { CheckpointBucket, ControlLine, DataLineFrame, StreamDescription } from './line.ts';

/** One line as JSON text with its line feed, as UTF-8 (spec/protocol.md 2.3). */
export function encodeJsonLine(line: ControlLine): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ [line.kind]: lineBody(line) })}\n`);
}

function lineBody(line: ControlLine): unknown {
  switch (line.kind) {
    case 'checkpoint':
      return {
        last_op_id: String(line.lastOpId),
        write_checkpoint: line.writeCheckpoint?.toString(),
        buckets: line.buckets.map(bucketBody),
        streams: line.streams.map(streamBody),
      };
    case 'checkpoint_diff':
      return {
        last_op_id: String(line.lastOpId),
        write_checkpoint: line.writeCheckpoint?.toString(),
        removed_buckets: line.removedBuckets,
        updated_buckets: line.updatedBuckets.map(bucketBody),
      };
    case 'checkpoint_complete':
      return { last_op_id: String(line.lastOpId) };
    case 'partial_checkpoint_complete':
      return { last_op_id: String(line.lastOpId), priority: line.priority };
    case 'token_expires_in':
      return line.seconds;
  }
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
