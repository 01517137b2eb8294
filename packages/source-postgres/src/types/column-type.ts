import type { SqliteType, SqliteValue } from '@sluice/model';
import { arrayLiteralToJson } from './array-literal.ts';
import { binaryDecoder, type DecodeBinary } from './binary/binary-decoder.ts';
import type { ResolvedType } from './builtin-types.ts';
import { jsonEncoder } from './json-text.ts';
import type { PgType } from './pg-type.ts';
import { SQLITE_TYPE_OF_SCALAR, scalarTextDecoder, type DecodeText } from './scalar-text.ts';
import { textSliceDecoder, type DecodeSlice } from './text-slice.ts';
import type { TypeOptions } from './type-options.ts';

/** How the values of a column of one type are read. Chosen once per column, not per value. */
export interface ColumnType {
  readonly sqliteType: SqliteType;
  /** The type's own name, `int4`, `timestamptz[]`; of a domain its name, not its base's. */
  readonly sourceType: string;
  /** Whether an update may leave the value out because it is stored out of line. */
  readonly toastable: boolean;
  /** From the text form. @throws SourceError `SOURCE_PROTOCOL` for text that no server writes. */
  readonly decodeText: DecodeText;
  /** The same from UTF-8 bytes, `buffer[start, end)`, which must lie within the buffer. */
  readonly decodeTextSlice: DecodeSlice;
  /** From the binary form; undefined where only the text form is understood. */
  readonly decodeBinary: DecodeBinary | undefined;
  /** What to select in a binary COPY for a column, given its quoted name. */
  copyExpression(quotedColumn: string): string;
  /** Reads what `copyExpression` gives in a binary COPY. */
  readonly decodeCopied: DecodeSlice;
}

/**
 * Builds the decoders of a type (spec/sync-config.md 15.1 to 15.3). A domain is always read as its
 * base type; the reference service does so without `custom_postgres_types` only in snapshots, and
 * then has two values for one.
 */
export function columnType(resolved: ResolvedType, options: TypeOptions): ColumnType {
  const { type } = resolved;
  const base = baseOf(type);
  const decodeText = textDecoder(base, options);
  const decodeTextSlice = textSliceDecoder(base, decodeText, options);
  const decodeBinary = binaryDecoder(base, options);
  return {
    sqliteType: base.kind === 'scalar' ? SQLITE_TYPE_OF_SCALAR[base.scalar] : 'text',
    sourceType: type.name,
    toastable: resolved.toastable,
    decodeText,
    decodeTextSlice,
    decodeBinary,
    copyExpression: (column) => {
      if (decodeBinary) return column;
      return resolved.hasTextCast ? outputForm(column) : `${column}::pg_catalog.text`;
    },
    decodeCopied: decodeBinary ?? decodeTextSlice,
  };
}

/**
 * The output form of a value whose cast to text gives something else: `inet` adds a mask, `bpchar`
 * loses its blanks. `IS DISTINCT FROM` is, unlike `IS NOT NULL`, also right for rows of nulls.
 */
function outputForm(column: string): string {
  return `CASE WHEN ${column} IS DISTINCT FROM NULL THEN pg_catalog.format('%s', ${column}) END`;
}

function baseOf(type: PgType): PgType {
  return type.kind === 'domain' ? baseOf(type.base) : type;
}

function textDecoder(type: PgType, options: TypeOptions): DecodeText {
  if (type.kind === 'scalar') return scalarTextDecoder(type.scalar, options);
  if (type.kind === 'array' && type.element.kind === 'scalar' && !options.customTypes) {
    const toJson = jsonEncoder(type.element, options);
    return (text) => arrayLiteralToJson(text, ',', toJson);
  }
  if (type.kind === 'enum' || !options.customTypes) return verbatim;
  const toJson = jsonEncoder(type, options);
  return type.kind === 'range' ? (text) => (text === 'empty' ? text : toJson(text)) : toJson;
}

function verbatim(text: string): SqliteValue {
  return text;
}
