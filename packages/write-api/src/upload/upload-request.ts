import { hash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import type { RowValues, RowWrite, WriteOp } from '../pipeline/row-write.ts';
import type { UploadEntry } from '../pipeline/upload-entry.ts';
import type { WriteKey } from '../pipeline/write-store.ts';

/** The body of an upload, taken apart. */
export interface UploadRequest {
  /** Names the client's local database; undefined where it did not say. */
  readonly clientId: string | undefined;
  /** What the number of an entry is called in the answer. */
  readonly numberName: 'seq' | 'op_id';
  readonly items: readonly UploadItem[];
}

export interface UploadItem extends UploadEntry {
  /** As the client numbered it; null where it did not. */
  readonly number: string | number | null;
  /** Undefined: the client does not say which entries were one transaction. */
  readonly tx: string | undefined;
}

/** Who sends it, as far as keys depend on it. */
export interface UploadSender {
  readonly userId: string;
  /** From a header, where the body does not say. */
  readonly clientId: string | undefined;
}

const LIST_NAMES = ['batch', 'crud', 'entries'] as const;
const OPS: Readonly<Record<string, WriteOp>> = { PUT: 'PUT', PATCH: 'PATCH', DELETE: 'DELETE' };

/**
 * The entries of an upload, in order, or undefined when the body holds no list of entries.
 *
 * Takes `{batch: […]}` (reference demos), `{crud: […]}` and `{entries: […]}` (spec/client.md 6.5); an
 * entry names its table `table` or `type`, its number `seq`, `op_id`, `opId` or `clientId`, its
 * transaction `tx`, `tx_id` or `transactionId`.
 */
export function parseUpload(body: unknown, sender: UploadSender): UploadRequest | undefined {
  if (!isJsonObject(body)) return undefined;
  const name = LIST_NAMES.find((each) => Array.isArray(body[each]));
  if (name === undefined) return undefined;
  const list = body[name] as readonly JsonValue[];
  const clientId = firstText(body['clientId'], body['client_id']) ?? sender.clientId;
  const keys = clientId === undefined ? undefined : new EntryKeys(sender.userId, clientId);
  return {
    clientId,
    numberName: name === 'entries' ? 'seq' : 'op_id',
    items: list.map((raw) => parseItem(raw, keys)),
  };
}

/** Entries that follow each other and have one transaction id, or none at all, are one transaction. */
export function clientTransactions(items: readonly UploadItem[]): readonly UploadItem[][] {
  const transactions: UploadItem[][] = [];
  let last: UploadItem[] | undefined;
  for (const item of items) {
    if (last !== undefined && last[0]?.tx === item.tx) {
      last.push(item);
    } else {
      last = [item];
      transactions.push(last);
    }
  }
  return transactions;
}

const NOTHING: UploadEntry['sent'] = { op: '', table: '', id: '', data: null };

function parseItem(raw: JsonValue, keys: EntryKeys | undefined): UploadItem {
  if (!isJsonObject(raw)) {
    const problem = 'The entry is not an object';
    return {
      number: null,
      tx: undefined,
      write: undefined,
      problem,
      key: undefined,
      sent: NOTHING,
    };
  }
  const number = firstNumberOrText(raw['seq'], raw['op_id'], raw['opId'], raw['clientId']) ?? null;
  const tx = firstNumberOrText(raw['tx'], raw['tx_id'], raw['transactionId'])?.toString();
  const sent = {
    op: firstText(raw['op']) ?? '',
    table: firstText(raw['table'], raw['type']) ?? '',
    id: firstNumberOrText(raw['id'])?.toString() ?? '',
    data: raw['data'] ?? raw['opData'] ?? null,
  };
  const parsed = parseWrite(raw);
  const isWrite = typeof parsed !== 'string';
  return {
    number,
    tx,
    write: isWrite ? parsed : undefined,
    problem: isWrite ? undefined : parsed,
    key: keys?.keyOf({ number, tx, sent }),
    sent: isWrite ? { ...sent, id: parsed.id } : sent,
  };
}

/** The write, or what is wrong with it. */
function parseWrite(raw: JsonObject): RowWrite | string {
  const op = typeof raw['op'] === 'string' ? OPS[raw['op'].toUpperCase()] : undefined;
  if (op === undefined) return 'op is not PUT, PATCH or DELETE';
  const table = raw['table'] ?? raw['type'];
  if (typeof table !== 'string' || table === '') return 'type (or table) is missing';
  if (table.includes('\0')) return 'the table name contains a NUL character';
  const data = raw['data'] ?? raw['opData'] ?? {};
  if (!isJsonObject(data)) return 'data is not an object';
  const id = firstNumberOrText(raw['id'], data['id']);
  if (id === undefined) return 'id is missing';
  const old = raw['old'] ?? raw['previousValues'];
  const metadata = raw['metadata'];
  return {
    op,
    table,
    id: String(id),
    values: op === 'DELETE' ? new Map() : rowValues(data),
    base: isJsonObject(old) ? rowValues(old) : undefined,
    metadata: typeof metadata === 'string' ? metadata : undefined,
  };
}

function rowValues(data: JsonObject): RowValues {
  const values = new Map<string, SqliteValue>();
  for (const name in data) {
    if (name !== 'id' && Object.hasOwn(data, name))
      values.set(name, sqliteValue(data[name] ?? null));
  }
  return values;
}

/** As the client's SQLite has it, except that whole REAL values cannot be told from INTEGER here. */
export function sqliteValue(value: JsonValue): SqliteValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

const MAX_SEQ = 2n ** 63n - 1n;

/**
 * Keys of the entries of one client. Made of the number of the entry; or of its transaction's and the
 * place in it. The contents are part of it: see `WriteKey`.
 */
class EntryKeys {
  readonly #client: string;
  #tx: string | undefined;
  #place = 0;

  constructor(userId: string, clientId: string) {
    this.#client = digest(JSON.stringify([userId, clientId]));
  }

  keyOf({ number, tx, sent }: Pick<UploadItem, 'number' | 'tx' | 'sent'>): WriteKey | undefined {
    this.#place = tx === this.#tx ? this.#place + 1 : 0;
    this.#tx = tx;
    const entry = integerText(number);
    const seq = entry ?? integerText(tx);
    if (seq === undefined) return undefined;
    const place = entry === undefined ? this.#place : -1;
    const { op, table, id, data } = sent;
    const contents = JSON.stringify([place, op, table, id, sorted(data)]);
    return { client: this.#client, seq, digest: digest(contents) };
  }
}

function integerText(value: string | number | null | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
  }
  const text = value;
  if (!/^\d{1,19}$/.test(text) || BigInt(text) > MAX_SEQ) return undefined;
  return BigInt(text).toString();
}

/** Keys in one order, whatever the client's JSON has. */
function sorted(data: unknown): unknown {
  if (!isJsonObject(data)) return data;
  const names = Object.keys(data);
  return names.sort().map((name) => [name, data[name]]);
}

function digest(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 32);
}

function firstText(...candidates: unknown[]): string | undefined {
  for (const value of candidates) if (typeof value === 'string' && value !== '') return value;
  return undefined;
}

function firstNumberOrText(...candidates: unknown[]): string | number | undefined {
  for (const value of candidates) {
    if (typeof value === 'string' || typeof value === 'number') return value;
  }
  return undefined;
}
