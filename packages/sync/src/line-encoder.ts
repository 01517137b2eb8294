import type { OpId } from '@sluice/model';
import {
  encodeBsonDataLine,
  encodeBsonLine,
  encodeJsonDataLine,
  encodeJsonLine,
  OpsToJson,
  startBsonLine,
  startJsonLine,
  type BucketLineHead,
  type BucketLineWriter,
  type CheckpointBucket,
  type ControlLine,
  type DataLineFrame,
  type JsonRowForm,
} from '@sluice/protocol';
import type { OpsChunk } from '@sluice/storage';
import type { CacheCounts } from './cache-counts.ts';

/** How a session's lines are written: BSON, or NDJSON with rows as text or embedded (2.4). */
export type LineForm = 'bson' | JsonRowForm;

/** Lines below this are one buffer: copying it costs less than writing three. */
const JOIN_BELOW_BYTES = 8 * 1024;
/** Shared lines of one checkpoint. */
const MAX_SHARED_LINES = 256;

interface SharedDataLine extends DataLineFrame {
  readonly parts: readonly Uint8Array[];
}

/**
 * Writes lines in one form for all sessions that use it. What many sessions are sent is built once,
 * and they get the same buffers: completions, keepalives, the diff of one changed bucket, and data
 * lines of shared chunks.
 */
export class LineEncoder {
  readonly #form: LineForm;
  readonly #counts: CacheCounts;
  #sharedFor: OpId | undefined;
  readonly #shared = new Map<string, Uint8Array>();
  readonly #diffs = new Map<string, { bucket: CheckpointBucket; line: Uint8Array }>();
  readonly #tokens = new Map<number, Uint8Array>();
  readonly #dataLines = new WeakMap<OpsChunk, SharedDataLine>();
  readonly #jsonOps = new WeakMap<object, Uint8Array>();
  readonly #toJson: OpsToJson;

  constructor(form: LineForm, counts: CacheCounts) {
    this.#form = form;
    this.#counts = counts;
    this.#toJson = new OpsToJson(form === 'bson' ? 'text' : form);
  }

  encode(line: ControlLine): Uint8Array {
    return this.#form === 'bson' ? encodeBsonLine(line) : encodeJsonLine(line);
  }

  /** A line that tells of about so many buckets, which are added one by one. */
  start(head: BucketLineHead, buckets: number): BucketLineWriter {
    return this.#form === 'bson' ? startBsonLine(head, buckets) : startJsonLine(head);
  }

  complete(lastOpId: OpId): Uint8Array {
    return this.#share(lastOpId, 'all', () => ({ kind: 'checkpoint_complete', lastOpId }));
  }

  completePriority(lastOpId: OpId, priority: number): Uint8Array {
    return this.#share(lastOpId, String(priority), () => ({
      kind: 'partial_checkpoint_complete',
      lastOpId,
      priority,
    }));
  }

  /** A diff whose only content is this bucket. Equal buckets are told by their fields' identity. */
  diffOfOne(lastOpId: OpId, bucket: CheckpointBucket): Uint8Array {
    this.#startSharing(lastOpId);
    const known = this.#diffs.get(bucket.bucket);
    const isKnown = known !== undefined && isSameBucket(known.bucket, bucket);
    this.#note(isKnown);
    if (isKnown) return known.line;
    const line = this.encode({
      kind: 'checkpoint_diff',
      lastOpId,
      writeCheckpoint: undefined,
      updatedBuckets: [bucket],
      removedBuckets: [],
    });
    if (this.#diffs.size < MAX_SHARED_LINES) this.#diffs.set(bucket.bucket, { bucket, line });
    return line;
  }

  tokenExpiresIn(seconds: number): Uint8Array {
    let line = this.#tokens.get(seconds);
    this.#note(line !== undefined);
    if (line === undefined) {
      if (this.#tokens.size >= MAX_SHARED_LINES) this.#tokens.clear();
      line = this.encode({ kind: 'token_expires_in', seconds });
      this.#tokens.set(seconds, line);
    }
    return line;
  }

  /** A data line; a large chunk's payload is never copied. */
  data(frame: DataLineFrame, chunk: OpsChunk): readonly Uint8Array[] {
    const known = this.#dataLines.get(chunk);
    const isKnown = known?.after === frame.after && known.bucket === frame.bucket;
    this.#note(isKnown);
    if (isKnown) return known.parts;
    const parts = joinIfSmall(this.#dataParts(frame, chunk), chunk.byteLength);
    this.#dataLines.set(chunk, { ...frame, parts });
    return parts;
  }

  #dataParts(frame: DataLineFrame, chunk: OpsChunk): Uint8Array[] {
    if (this.#form === 'bson') return encodeBsonDataLine(frame, chunk.parts, chunk.byteLength);
    const known = chunk.identity && this.#jsonOps.get(chunk.identity);
    const ops = known ?? this.#toJson.convert(chunk.parts);
    if (chunk.identity !== undefined) this.#jsonOps.set(chunk.identity, ops);
    return encodeJsonDataLine(frame, ops);
  }

  #share(lastOpId: OpId, key: string, line: () => ControlLine): Uint8Array {
    this.#startSharing(lastOpId);
    let bytes = this.#shared.get(key);
    this.#note(bytes !== undefined);
    if (bytes === undefined) {
      bytes = this.encode(line());
      if (this.#shared.size < MAX_SHARED_LINES) this.#shared.set(key, bytes);
    }
    return bytes;
  }

  #note(isShared: boolean): void {
    if (isShared) this.#counts.linesShared += 1;
    else this.#counts.linesBuilt += 1;
  }

  #startSharing(lastOpId: OpId): void {
    if (this.#sharedFor === lastOpId) return;
    this.#sharedFor = lastOpId;
    this.#shared.clear();
    this.#diffs.clear();
  }
}

function isSameBucket(a: CheckpointBucket, b: CheckpointBucket): boolean {
  return (
    a.checksum === b.checksum &&
    a.count === b.count &&
    a.priority === b.priority &&
    a.subscriptions === b.subscriptions
  );
}

function joinIfSmall(parts: Uint8Array[], payloadBytes: number): readonly Uint8Array[] {
  if (payloadBytes >= JOIN_BELOW_BYTES) return parts;
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return [joined];
}
