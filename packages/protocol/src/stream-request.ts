import { isDeeperThan, isJsonObject, SyncError, type JsonObject } from '@sluice/base';
import type { OpId } from '@sluice/model';

/** What a client asks of a sync stream (spec/protocol.md 2.1), without the fields nobody uses. */
export interface StreamRequest {
  /** Buckets that the client holds, and up to which operation. */
  readonly buckets: readonly HeldBucket[];
  /** Whether rows come as JSON text; otherwise the legacy embedded form is wanted (2.4). */
  readonly rawData: boolean;
  readonly clientId: string | undefined;
  readonly parameters: JsonObject;
  readonly appMetadata: Readonly<Record<string, string>>;
  readonly includeDefaults: boolean;
  readonly subscriptions: readonly RequestedSubscription[];
}

export interface HeldBucket {
  readonly name: string;
  readonly after: OpId;
}

export interface RequestedSubscription {
  readonly stream: string;
  readonly parameters: JsonObject | null;
  readonly overridePriority: number | null;
}

const MAX_OP_ID = 2n ** 63n - 1n;
/** Far more than parameters need, far less than exhausts the stack of who walks through them. */
const MAX_DEPTH = 100;
/** The core's stand-in for "everything"; a bucket must not have it. */
const MAX_PRIORITY = 2 ** 31 - 2;

/**
 * Reads the body of a sync request. Unknown fields are ignored at every level; what is missing
 * takes its default, so `{}` asks for all default streams from the start.
 *
 * @throws SyncError `SYNC_REQUEST_INVALID`; `details.problems` names every field that is wrong.
 */
export function parseStreamRequest(json: unknown): StreamRequest {
  const problems: string[] = [];
  if (!isJsonObject(json)) throw invalid(['the body must be a JSON object']);
  if (isDeeperThan(json, MAX_DEPTH)) {
    throw invalid([`the body must not be nested deeper than ${MAX_DEPTH} levels`]);
  }
  const reader = new FieldReader(json, '', problems);
  const streams = reader.object('streams');
  const streamReader = new FieldReader(streams ?? {}, 'streams.', problems);
  reader.array('only');
  reader.boolean('include_checksum');
  reader.boolean('binary_data');
  const request: StreamRequest = {
    buckets: readAll(reader.array('buckets'), 'buckets', problems, readBucket),
    rawData: reader.boolean('raw_data') ?? false,
    clientId: reader.string('client_id'),
    parameters: reader.object('parameters') ?? {},
    appMetadata: readMetadata(reader.object('app_metadata'), problems),
    includeDefaults: streamReader.boolean('include_defaults') ?? true,
    subscriptions: readAll(
      streamReader.array('subscriptions', streams !== undefined),
      'streams.subscriptions',
      problems,
      readSubscription,
    ),
  };
  if (problems.length > 0) throw invalid(problems);
  return request;
}

function invalid(problems: readonly string[]): SyncError {
  const named = problems.slice(0, 10);
  return new SyncError('SYNC_REQUEST_INVALID', `The sync request is invalid: ${named.join('; ')}`, {
    details: { problems: named },
  });
}

/** Takes typed fields out of an object and notes every one that has another type. */
class FieldReader {
  readonly #object: JsonObject;
  readonly #path: string;
  readonly #problems: string[];

  constructor(object: JsonObject, path: string, problems: string[]) {
    this.#object = object;
    this.#path = path;
    this.#problems = problems;
  }

  get(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  wrong(name: string, wanted: string): undefined {
    this.#problems.push(`${this.#path}${name} must be ${wanted}`);
    return undefined;
  }

  string(name: string, required = false): string | undefined {
    const value = this.get(name);
    if (typeof value === 'string') return value;
    return value === undefined && !required ? undefined : this.wrong(name, 'a string');
  }

  boolean(name: string): boolean | undefined {
    const value = this.get(name);
    if (typeof value === 'boolean') return value;
    return value === undefined ? undefined : this.wrong(name, 'a boolean');
  }

  object(name: string): JsonObject | undefined {
    const value = this.get(name);
    if (isJsonObject(value)) return value;
    return value === undefined ? undefined : this.wrong(name, 'an object');
  }

  array(name: string, required = false): readonly unknown[] | undefined {
    const value = this.get(name);
    if (Array.isArray(value)) return value;
    return value === undefined && !required ? undefined : this.wrong(name, 'an array');
  }
}

function readAll<T>(
  items: readonly unknown[] | undefined,
  path: string,
  problems: string[],
  read: (reader: FieldReader) => T,
): T[] {
  return (items ?? []).flatMap((item, index) => {
    if (isJsonObject(item)) return [read(new FieldReader(item, `${path}[${index}].`, problems))];
    problems.push(`${path}[${index}] must be an object`);
    return [];
  });
}

function readBucket(reader: FieldReader): HeldBucket {
  const name = reader.string('name', true) ?? '';
  const after = reader.string('after', true) ?? '0';
  if (!/^\d{1,19}$/.test(after) || BigInt(after) > MAX_OP_ID) {
    reader.wrong('after', 'an op id in decimal digits');
    return { name, after: 0n };
  }
  return { name, after: BigInt(after) };
}

function readSubscription(reader: FieldReader): RequestedSubscription {
  const stream = reader.string('stream', true) ?? '';
  const parameters = reader.get('parameters');
  const overridePriority = reader.get('override_priority');
  const hasParameters = parameters === null || isJsonObject(parameters);
  if (!hasParameters) reader.wrong('parameters', 'an object or null');
  const hasPriority = overridePriority === null || isPriority(overridePriority);
  if (!hasPriority) reader.wrong('override_priority', 'a priority number or null');
  return {
    stream,
    parameters: hasParameters ? parameters : null,
    overridePriority: hasPriority ? overridePriority : null,
  };
}

function isPriority(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_PRIORITY;
}

function readMetadata(value: JsonObject | undefined, problems: string[]): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [key, text] of Object.entries(value ?? {})) {
    if (typeof text === 'string') metadata[key] = text;
    else problems.push(`app_metadata.${key} must be a string`);
  }
  return metadata;
}
