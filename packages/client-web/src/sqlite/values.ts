import type { IntegerMode, SqlParameter, SqlValue } from '@sluice/client';
import { TRANSIENT, type Pointer, type SqliteModule } from './sqlite-module.ts';

const INTEGER = 1;
const FLOAT = 2;
const TEXT = 3;
const BLOB = 4;
const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;

/** Column `at` of the row on which `statement` stands. */
export function columnValue(
  module: SqliteModule,
  statement: Pointer,
  at: number,
  integers: IntegerMode,
): SqlValue {
  const { exports } = module;
  switch (exports.sqlite3_column_type(statement, at)) {
    case INTEGER: {
      if (integers === 'bigint') return exports.sqlite3_column_int64(statement, at);
      // As a double it is exact below 2^53, and not below 2^53 from there on.
      const number = exports.sqlite3_column_double(statement, at);
      if (Number.isSafeInteger(number) || integers === 'number') return number;
      return exports.sqlite3_column_int64(statement, at);
    }
    case FLOAT:
      return exports.sqlite3_column_double(statement, at);
    case TEXT: {
      const pointer = exports.sqlite3_column_text(statement, at);
      return module.text(pointer, exports.sqlite3_column_bytes(statement, at));
    }
    case BLOB: {
      const pointer = exports.sqlite3_column_blob(statement, at);
      return module.bytes.slice(pointer, pointer + exports.sqlite3_column_bytes(statement, at));
    }
    default:
      return null;
  }
}

/** Binds parameter `at`, from 1 on. Returns SQLite's result code. */
export function bindValue(
  module: SqliteModule,
  statement: Pointer,
  at: number,
  value: SqlParameter,
): number {
  const { exports } = module;
  if (typeof value === 'string') {
    return module.withText(value, (pointer, bytes) =>
      exports.sqlite3_bind_text(statement, at, pointer, bytes, TRANSIENT),
    );
  }
  if (typeof value === 'number') return bindNumber(module, statement, at, value);
  if (typeof value === 'bigint') return exports.sqlite3_bind_int64(statement, at, inRange(value));
  if (typeof value === 'boolean') return exports.sqlite3_bind_int(statement, at, value ? 1 : 0);
  if (value === null) return exports.sqlite3_bind_null(statement, at);
  return module.withBytes(checkedBytes(value), (pointer) =>
    exports.sqlite3_bind_blob(statement, at, pointer, value.length, TRANSIENT),
  );
}

function bindNumber(
  { exports }: SqliteModule,
  statement: Pointer,
  at: number,
  value: number,
): number {
  if (!isInteger(value)) return exports.sqlite3_bind_double(statement, at, value);
  if ((value | 0) === value) return exports.sqlite3_bind_int(statement, at, value);
  return exports.sqlite3_bind_int64(statement, at, BigInt(value));
}

/** An argument of a SQL function. */
export function argumentValue(module: SqliteModule, value: Pointer): SqlValue {
  const { exports } = module;
  switch (exports.sqlite3_value_type(value)) {
    case INTEGER: {
      const number = exports.sqlite3_value_double(value);
      return Number.isSafeInteger(number) ? number : exports.sqlite3_value_int64(value);
    }
    case FLOAT:
      return exports.sqlite3_value_double(value);
    case TEXT: {
      const pointer = exports.sqlite3_value_text(value);
      return module.text(pointer, exports.sqlite3_value_bytes(value));
    }
    case BLOB: {
      const pointer = exports.sqlite3_value_blob(value);
      return module.bytes.slice(pointer, pointer + exports.sqlite3_value_bytes(value));
    }
    default:
      return null;
  }
}

/** What a SQL function gives back. */
export function setResult(module: SqliteModule, context: Pointer, value: SqlValue): void {
  const { exports } = module;
  if (value === null) return exports.sqlite3_result_null(context);
  if (typeof value === 'bigint') return exports.sqlite3_result_int64(context, inRange(value));
  if (typeof value === 'number') {
    if (isInteger(value)) return exports.sqlite3_result_int64(context, BigInt(value));
    return exports.sqlite3_result_double(context, value);
  }
  if (typeof value === 'string') {
    return module.withText(value, (pointer, bytes) =>
      exports.sqlite3_result_text(context, pointer, bytes, TRANSIENT),
    );
  }
  module.withBytes(value, (pointer) =>
    exports.sqlite3_result_blob(context, pointer, value.length, TRANSIENT),
  );
}

/** Whole numbers are integers: bound as reals, a TEXT column would get `5.0`. */
function isInteger(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function inRange(value: bigint): bigint {
  if (value >= MIN_INTEGER && value <= MAX_INTEGER) return value;
  throw new RangeError('The integer has more than 64 bits');
}

function checkedBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`A parameter of type ${typeof value} cannot be bound`);
}
