import type { StatementResult } from './statement-run.ts';

export interface AppQueryResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowCount: number;
}

/** A result as an app's function expects it: booleans, numbers (`bigint` beyond 2^53), parsed JSON, bytes, else text. */
export function appQueryResult(result: StatementResult | undefined): AppQueryResult {
  const fields = result?.fields ?? [];
  const rows = (result?.rows ?? []).map((row) =>
    Object.fromEntries(
      fields.map(({ name, typeOid }, at) => [name, appValue(typeOid, row[at] ?? null)]),
    ),
  );
  return { rows, rowCount: result?.rowCount ?? 0 };
}

function appValue(typeOid: number, text: string | null): unknown {
  if (text === null) return null;
  switch (typeOid) {
    case 16: // bool
      return text === 't';
    case 17: // bytea
      return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
    case 20: // int8
    case 21: // int2
    case 23: // int4
    case 26: // oid
      return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
    case 700: // float4
    case 701: // float8
      return Number(text);
    case 114: // json
    case 3802: // jsonb
      return JSON.parse(text);
    default:
      return text;
  }
}

/** A parameter of an app's function as text for PostgreSQL: a list is an array, an object JSON. */
export function parameterText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return `{${value.map(elementText).join(',')}}`;
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string);
}

function elementText(value: unknown): string {
  const text = parameterText(value);
  if (text === null) return 'NULL';
  return Array.isArray(value) ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
