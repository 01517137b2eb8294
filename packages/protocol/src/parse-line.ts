import { LineError } from './line-error.ts';
import type { CheckpointBucket, Line, StreamDescription, StreamError } from './line.ts';
import type { Op } from './op.ts';

/**
 * Reads one line of an NDJSON stream, parsed as JSON, as a tolerant client does
 * (spec/protocol.md 12.2): missing `streams`, `priority` (3), `count` (0), `subscriptions` and
 * `write_checkpoint` are fine. Undefined for a kind of line that is not known.
 *
 * @throws LineError for what no service may send.
 */
export function parseLine(json: unknown): Line | undefined {
  const line = objectOf(json, 'a line');
  const [kind, ...more] = Object.keys(line);
  if (kind === undefined || more.length > 0) fail('a line has exactly one key');
  const body = line[kind];
  if (kind === 'token_expires_in') return { kind, seconds: integerOf(body, kind) };
  const read = BODY_READERS[kind];
  return read === undefined ? undefined : read(objectOf(body, kind));
}

const BODY_READERS: Readonly<Record<string, ((body: JsonObject) => Line) | undefined>> = {
  checkpoint: (body) => ({
    kind: 'checkpoint',
    lastOpId: idOf(body['last_op_id']),
    writeCheckpoint: optionalId(body['write_checkpoint']),
    buckets: listOf(body['buckets'], 'buckets').map(bucketOf),
    streams: listOf(defaulted(body['streams'], []), 'streams').map(streamOf),
  }),
  checkpoint_diff: (body) => ({
    kind: 'checkpoint_diff',
    lastOpId: idOf(body['last_op_id']),
    writeCheckpoint: optionalId(body['write_checkpoint']),
    updatedBuckets: listOf(body['updated_buckets'], 'updated_buckets').map(bucketOf),
    removedBuckets: listOf(body['removed_buckets'], 'removed_buckets').map((name) =>
      textOf(name, 'a removed bucket'),
    ),
  }),
  data: (body) => {
    const ops = listOf(body['data'], 'data').map(opOf);
    const last = ops.at(-1)?.opId ?? 0n;
    return {
      kind: 'data',
      bucket: textOf(body['bucket'], 'bucket'),
      after: optionalId(body['after']) ?? 0n,
      nextAfter: optionalId(body['next_after']) ?? last,
      hasMore: body['has_more'] === true,
      ops,
    };
  },
  checkpoint_complete: (body) => ({
    kind: 'checkpoint_complete',
    lastOpId: idOf(body['last_op_id']),
  }),
  partial_checkpoint_complete: (body) => ({
    kind: 'partial_checkpoint_complete',
    lastOpId: idOf(body['last_op_id']),
    priority: integerOf(body['priority'], 'priority'),
  }),
};

function bucketOf(json: unknown): CheckpointBucket {
  const bucket = objectOf(json, 'a bucket');
  return {
    bucket: textOf(bucket['bucket'], 'bucket'),
    checksum: checksumOf(bucket['checksum']) | 0,
    count: integerOf(defaulted(bucket['count'], 0), 'count'),
    priority: integerOf(defaulted(bucket['priority'], 3), 'priority'),
    subscriptions: listOf(defaulted(bucket['subscriptions'], []), 'subscriptions').map((item) => {
      const reason = objectOf(item, 'a subscription');
      return 'default' in reason
        ? { default: integerOf(reason['default'], 'default') }
        : { sub: integerOf(reason['sub'], 'sub') };
    }),
  };
}

function streamOf(json: unknown): StreamDescription {
  const stream = objectOf(json, 'a stream');
  return {
    name: textOf(stream['name'], 'name'),
    isDefault: stream['is_default'] === true,
    errors: listOf(stream['errors'], 'errors').map((item): StreamError => {
      const error = objectOf(item, 'an error');
      const subscription = error['subscription'];
      return {
        subscription:
          subscription === 'default' ? subscription : integerOf(subscription, 'subscription'),
        message: textOf(error['message'], 'message'),
      };
    }),
  };
}

function opOf(json: unknown): Op {
  const op = objectOf(json, 'an operation');
  const kind = op['op'];
  const opId = idOf(op['op_id']);
  const checksum = checksumOf(op['checksum']);
  if (kind === 'MOVE' || kind === 'CLEAR') return { kind, opId, checksum };
  if (kind !== 'PUT' && kind !== 'REMOVE') fail('op is PUT, REMOVE, MOVE or CLEAR');
  const row = {
    opId,
    checksum,
    objectType: textOf(op['object_type'], 'object_type'),
    objectId: textOf(op['object_id'], 'object_id'),
    subkey: textOf(defaulted(op['subkey'], 'null'), 'subkey'),
  };
  return kind === 'REMOVE' ? { kind, ...row } : { kind, ...row, data: textOf(op['data'], 'data') };
}

function fail(expectation: string): never {
  throw new LineError(`The service sent a line that breaks a rule: ${expectation}`);
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Only what is absent has a default; null is an error. */
function defaulted(value: unknown, fallback: unknown): unknown {
  return value === undefined ? fallback : value;
}

function objectOf(value: unknown, what: string): JsonObject {
  return isObject(value) ? value : fail(`${what} is an object`);
}

function listOf(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : fail(`${what} is an array`);
}

function textOf(value: unknown, what: string): string {
  return typeof value === 'string' ? value : fail(`${what} is a string`);
}

function integerOf(value: unknown, what: string): number {
  return Number.isSafeInteger(value) ? Number(value) : fail(`${what} is an integer`);
}

function idOf(value: unknown): bigint {
  const id = typeof value === 'string' && /^\d{1,19}$/.test(value) ? BigInt(value) : -1n;
  return id >= 0n && id < 2n ** 63n ? id : fail('ids are decimal strings of at most 63 bits');
}

function optionalId(value: unknown): bigint | undefined {
  return value === undefined || value === null ? undefined : idOf(value);
}

/** Accepts the signed and the unsigned reading; gives the unsigned one. */
function checksumOf(value: unknown): number {
  const checksum = integerOf(value, 'checksum');
  if (checksum < -(2 ** 31) || checksum >= 2 ** 32) fail('a checksum has 32 bits');
  return checksum >>> 0;
}
