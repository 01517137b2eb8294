import { canonicalParams } from '../sync/streams/canonical-params.ts';
import type { QueryOptions, QuerySource, QueryText, StreamRequest } from './query-options.ts';

const ids = new WeakMap<object, number>();
let lastId = 0;

/** Equal for queries that may share their results. Takes any parameters: running the query tells what is wrong with them. */
export function queryKey<Row>(source: QuerySource<Row>, options: QueryOptions<Row>): string {
  const isText = !('compile' in source);
  const { sql, parameters = [] }: QueryText = isText ? source : source.compile();
  return JSON.stringify([
    isText ? 'sql' : 'custom',
    sql,
    parameters.map(parameterKey),
    options.throttleMs ?? null,
    options.tables?.toSorted() ?? null,
    options.runOnce ?? false,
    options.reportFetching ?? true,
    options.rowComparator === undefined ? null : identity(options.rowComparator),
    options.streams?.map((stream) => [streamKey(stream), stream.waitForStream ?? false]) ?? [],
    options.cacheKey ?? null,
  ]);
}

export function streamKey({ name, parameters, ttl, priority }: StreamRequest): string {
  return JSON.stringify([name, paramsKey(parameters), String(ttl), priority ?? null]);
}

function paramsKey(parameters: StreamRequest['parameters']): string {
  try {
    return canonicalParams(parameters);
  } catch (error) {
    // Subscribing will fail with the same, and tells it.
    return String(error);
  }
}

function parameterKey(value: unknown): readonly unknown[] {
  if (value instanceof ArrayBuffer) return parameterKey(new Uint8Array(value));
  if (value instanceof Uint8Array) return ['bytes', ...value];
  // Objects are refused when the query runs.
  return [typeof value, Object.is(value, -0) ? '-0' : String(value)];
}

function identity(value: object): number {
  const known = ids.get(value);
  if (known !== undefined) return known;
  lastId += 1;
  ids.set(value, lastId);
  return lastId;
}
