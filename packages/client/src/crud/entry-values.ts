import type { SqlValue } from '../driver/contract.ts';
import type { IntegerMode } from '../driver/integer-mode.ts';
import type { CrudEntry, CrudOperation, CrudValues } from './crud-entry.ts';

/** A row of `sluice_crud`. */
export interface QueuedEntry {
  readonly id: number;
  readonly transactionId: number | undefined;
  /** JSON as in spec/client.md 2.5. */
  readonly data: string;
}

interface EntryJson {
  readonly op: CrudOperation;
  readonly id: string;
  readonly type: string;
  readonly data?: CrudValues;
  readonly old?: CrudValues;
  readonly metadata?: string;
}

/** `integers`: `number` is as `auto`, so that what is uploaded has all its digits. */
export function parseEntry(
  { id, transactionId, data }: QueuedEntry,
  integers: IntegerMode = 'auto',
): CrudEntry {
  const json = parseEntryJson(data, integers === 'bigint');
  return {
    clientId: id,
    transactionId,
    op: json.op,
    table: json.type,
    id: json.id,
    opData: json.data,
    previousValues: json.old,
    metadata: json.metadata,
  };
}

/** Columns come in the order of the text, and all integers, or those beyond 2^53, as `bigint`. */
function parseEntryJson(text: string, allIntegers: boolean): EntryJson {
  if (!allIntegers && !MANY_DIGITS.test(text)) return JSON.parse(text) as EntryJson;
  const isWrapped = (token: string) =>
    INTEGER.test(token) && (allIntegers || !Number.isSafeInteger(Number(token)));
  const wrapped = text.replace(TOKEN, (token) =>
    isWrapped(token) ? `{"digits":"${token}"}` : token,
  );
  // Values of columns are never objects, so an object is a wrapped integer.
  const { data, old, ...rest } = JSON.parse(wrapped) as Omit<EntryJson, 'data' | 'old'> & Wrapped;
  return {
    ...rest,
    ...(data === undefined ? {} : { data: unwrapped(data) }),
    ...(old === undefined ? {} : { old: unwrapped(old) }),
  };
}

/** Digits enough for an integer beyond 2^53; those of a fraction are none. */
const MANY_DIGITS = /(?<![.\d])\d{16}/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const INTEGER = /^-?\d+$/;

type WrappedValues = Readonly<Record<string, SqlValue | { readonly digits: string }>>;

interface Wrapped {
  readonly data?: WrappedValues;
  readonly old?: WrappedValues;
}

function unwrapped(values: WrappedValues): CrudValues {
  const unwrap = ([name, value]: [string, WrappedValues[string]]): [string, SqlValue] =>
    typeof value === 'object' && value !== null && 'digits' in value
      ? [name, BigInt(value.digits)]
      : [name, value];
  return Object.fromEntries(Object.entries(values).map(unwrap));
}

/**
 * The JSON form of an entry, `{"op_id":1,"op":"PUT","type":"tasks","id":"a","tx_id":1,"data":{...}}`, the
 * same text for equal entries. Integers have all their digits, which `JSON.stringify` of a `bigint` would refuse.
 */
export function formatEntry(entry: CrudEntry): string {
  return format(entry, { seq: 'op_id', table: 'type', tx: 'tx_id' });
}

/** The same with the names that Sluice's write API gives them (spec/client.md 6.5). */
export function formatUploadEntry(entry: CrudEntry): string {
  return format(entry, { seq: 'seq', table: 'table', tx: 'tx' });
}

function format(
  entry: CrudEntry,
  names: { readonly seq: string; readonly table: string; readonly tx: string },
): string {
  const members: readonly [name: string, json: string | undefined][] = [
    [names.seq, String(entry.clientId)],
    ['op', JSON.stringify(entry.op)],
    [names.table, JSON.stringify(entry.table)],
    ['id', JSON.stringify(entry.id)],
    [names.tx, entry.transactionId === undefined ? undefined : String(entry.transactionId)],
    ['data', entry.opData && formatValues(entry.opData)],
    ['old', entry.previousValues && formatValues(entry.previousValues)],
    ['metadata', entry.metadata === undefined ? undefined : JSON.stringify(entry.metadata)],
  ];
  const present = members.filter(([, json]) => json !== undefined);
  return `{${present.map(([name, json]) => `"${name}":${json}`).join(',')}}`;
}

function formatValues(values: CrudValues): string {
  const members = Object.entries(values).map(
    ([name, value]) =>
      `${JSON.stringify(name)}:${typeof value === 'bigint' ? value.toString() : JSON.stringify(value)}`,
  );
  return `{${members.join(',')}}`;
}
