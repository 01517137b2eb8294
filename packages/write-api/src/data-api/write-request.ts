import { hash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import type { RowWrite, WriteOp } from '../pipeline/row-write.ts';
import type { UploadEntry } from '../pipeline/upload-entry.ts';
import { sqliteValue } from '../upload/upload-request.ts';
import { queryProblem, shown } from './query-problem.ts';

/** Of one request. */
export const MAX_WRITES = 1_000;

/** What names the rows of a request for ever, if its sender gave it an idempotency key. */
export interface RequestKey {
  readonly userId: string;
  readonly key: string;
}

/**
 * The rows of an insert: an object, or a list of them. A row without an id gets one, which is the same
 * whenever the request is repeated with the same idempotency key.
 *
 * @throws AppError `DATA_QUERY_INVALID`
 */
export function insertEntries(
  table: string,
  body: JsonValue,
  key: RequestKey | undefined,
): readonly UploadEntry[] {
  const rows = Array.isArray(body) ? (body as readonly JsonValue[]) : [body];
  if (rows.length > MAX_WRITES) throw queryProblem(`There are more than ${MAX_WRITES} rows`);
  return rows.map((row, at) => {
    if (!isJsonObject(row)) throw queryProblem(`A row is ${shown(row)}, not an object`);
    const { id = key === undefined ? crypto.randomUUID() : derivedId(key, at), ...data } = row;
    if (typeof id !== 'string' && typeof id !== 'number') {
      throw queryProblem(`An id is ${shown(id)}, not a text or a number`);
    }
    return entry({ op: 'PUT', table, id: String(id), data }, key, at);
  });
}

/** The same change of each of these rows. */
export function updateEntries(
  table: string,
  ids: readonly string[],
  body: JsonValue,
  key: RequestKey | undefined,
): readonly UploadEntry[] {
  if (!isJsonObject(body)) throw queryProblem('The body is not an object with the columns to set');
  return ids.map((id, at) => entry({ op: 'PATCH', table, id, data: body }, key, at));
}

export function deleteEntries(
  table: string,
  ids: readonly string[],
  key: RequestKey | undefined,
): readonly UploadEntry[] {
  return ids.map((id, at) => entry({ op: 'DELETE', table, id, data: {} }, key, at));
}

function entry(
  sent: {
    readonly op: WriteOp;
    readonly table: string;
    readonly id: string;
    readonly data: JsonObject;
  },
  key: RequestKey | undefined,
  at: number,
): UploadEntry {
  const { op, table, id, data } = sent;
  const values = new Map<string, SqliteValue>();
  for (const [name, value] of Object.entries(data)) {
    if (name !== 'id') values.set(name, sqliteValue(value));
  }
  const write: RowWrite = { op, table, id, values, base: undefined, metadata: undefined };
  return { write, problem: undefined, key: key && entryKey(key, sent, at), sent };
}

function entryKey({ userId, key }: RequestKey, contents: unknown, at: number) {
  return {
    client: digest(['data-api', userId, key]),
    seq: String(at),
    digest: digest(contents),
  };
}

/** A UUID of version 8: made by us, of other things than randomness. */
function derivedId({ userId, key }: RequestKey, at: number): string {
  const hex = digest(['id', userId, key, at]);
  const variant = ((parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

function digest(contents: unknown): string {
  return hash('sha256', JSON.stringify(contents), 'hex').slice(0, 32);
}
