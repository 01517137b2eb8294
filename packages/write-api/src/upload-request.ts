import { isJsonObject, type JsonObject, type JsonValue } from '@sluice/base';

type UploadOp = 'PUT' | 'PATCH' | 'DELETE';

/** One local write of a client (spec/client.md 2.5). */
export interface UploadEntry {
  readonly op: UploadOp;
  /** Client table name. */
  readonly table: string;
  readonly id: string;
  /** Column values as the client's SQLite holds them; empty for DELETE. */
  readonly data: JsonObject;
}

/** An entry of the request in its place: what it asks for, or what is wrong with it. */
export interface UploadItem {
  /** As the client numbered it; null where it did not. */
  readonly opId: string | number | null;
  readonly content: UploadEntry | string;
}

const LIST_NAMES = ['batch', 'crud', 'entries'] as const;
const OPS: Readonly<Record<string, UploadOp>> = { PUT: 'PUT', PATCH: 'PATCH', DELETE: 'DELETE' };

/**
 * The entries of an upload, in order, or undefined when the body holds no list of entries.
 * Takes `{batch: […]}` (reference demos), `{crud: […]}` and `{entries: […]}`; an entry names its table
 * `table` or `type`, its number `op_id`, `opId`, `seq` or `clientId`.
 */
export function parseUpload(body: unknown): readonly UploadItem[] | undefined {
  if (!isJsonObject(body)) return undefined;
  for (const name of LIST_NAMES) {
    const list = body[name];
    if (Array.isArray(list)) return (list as readonly JsonValue[]).map(parseItem);
  }
  return undefined;
}

function parseItem(raw: JsonValue): UploadItem {
  if (!isJsonObject(raw)) return { opId: null, content: 'The entry is not an object' };
  const opId = firstNumberOrText(raw['op_id'], raw['opId'], raw['seq'], raw['clientId']);
  return { opId: opId ?? null, content: parseEntry(raw) };
}

function parseEntry(raw: JsonObject): UploadEntry | string {
  const op = typeof raw['op'] === 'string' ? OPS[raw['op'].toUpperCase()] : undefined;
  if (op === undefined) return 'op is not PUT, PATCH or DELETE';
  const table = raw['table'] ?? raw['type'];
  if (typeof table !== 'string' || table === '') return 'type (or table) is missing';
  if (table.includes('\0')) return 'the table name contains a NUL character';
  const data = raw['data'] ?? raw['opData'] ?? {};
  if (!isJsonObject(data)) return 'data is not an object';
  const id = firstNumberOrText(raw['id'], data['id']);
  if (id === undefined) return 'id is missing';
  return { op, table, id: String(id), data };
}

function firstNumberOrText(...candidates: unknown[]): string | number | undefined {
  for (const value of candidates) {
    if (typeof value === 'string' || typeof value === 'number') return value;
  }
  return undefined;
}
