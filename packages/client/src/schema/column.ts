import type { SqlValue } from '../driver/contract.ts';
import { integerColumnIn, type IntegerMode } from '../driver/integer-mode.ts';
import { quoteName, quoteText } from './sql-text.ts';

export type SqliteType = 'TEXT' | 'INTEGER' | 'REAL' | 'BLOB';

/** How the app's values become SQLite's, and back. Null is not its business. */
interface Codec<Value, Stored extends SqlValue> {
  readonly encode: (value: Value) => Stored;
  readonly decode: (stored: Stored, integers: IntegerMode) => Value;
}

type ConstraintText = (columnName: string) => string;

export interface ReferenceOptions {
  readonly onDelete?: 'CASCADE' | 'SET NULL' | 'RESTRICT' | 'NO ACTION';
}

/**
 * One declared column. `Value` is what the app works with, `Stored` what SQLite holds, `Null` is `null` unless the column must
 * have a value. Every method gives a new column.
 *
 * Constraints are for the app's own writes: downloaded rows are published as the server has them.
 */
export class Column<Value, Stored extends SqlValue, Null extends null = null> {
  readonly type: SqliteType;
  readonly #codec: Codec<Value, Stored>;
  readonly #constraints: readonly ConstraintText[];

  constructor(
    type: SqliteType,
    codec: Codec<Value, Stored>,
    constraints: readonly ConstraintText[] = [],
  ) {
    this.type = type;
    this.#codec = codec;
    this.#constraints = constraints;
  }

  /** Refuses null. A CHECK rather than NOT NULL, as SQLite can leave out CHECKs while rows are published. */
  notNull(): Column<Value, Stored, never> {
    return new Column<Value, Stored, never>(this.type, this.#codec, [
      ...this.#constraints,
      (name) => `CHECK (${quoteName(name)} IS NOT NULL)`,
    ]);
  }

  default(value: Value): Column<Value, Stored, Null> {
    const literal = sqlLiteral(this.#codec.encode(value));
    return this.#with(() => `DEFAULT ${literal}`);
  }

  /** `condition`: SQL, e.g. `"done" IN (0, 1)`. */
  check(condition: string): Column<Value, Stored, Null> {
    return this.#with(() => `CHECK (${condition})`);
  }

  /** The id of a row of another table, by its name in SQL. */
  references(table: string, options: ReferenceOptions = {}): Column<Value, Stored, Null> {
    const action = options.onDelete === undefined ? '' : ` ON DELETE ${options.onDelete}`;
    return this.#with(() => `REFERENCES ${quoteName(table)} ("id")${action}`);
  }

  encode(value: Value | null): Stored | null {
    return value === null ? null : this.#codec.encode(value);
  }

  decode(stored: Stored | null, integers: IntegerMode = 'auto'): Value | Null {
    // A column that must have a value has none only in rows that the server sent so.
    return stored === null ? (null as Null) : this.#codec.decode(stored, integers);
  }

  /** What follows the type in CREATE TABLE. */
  constraintText(name: string): string {
    return this.#constraints.map((text) => text(name)).join(' ');
  }

  #with(constraint: ConstraintText): Column<Value, Stored, Null> {
    return new Column<Value, Stored, Null>(this.type, this.#codec, [
      ...this.#constraints,
      constraint,
    ]);
  }
}

/** Any column, where its types do not matter. */
export interface AnyColumn {
  readonly type: SqliteType;
  constraintText(name: string): string;
  decode(stored: SqlValue, integers?: IntegerMode): unknown;
}

function same<Value extends SqlValue>(type: SqliteType): Column<Value, Value> {
  return new Column(type, { encode: (value) => value, decode: (stored) => stored });
}

/**
 * The columns an app can declare: `column.text`, `column.json<Tags>()`. SQLite holds booleans as 1 and 0, dates as text
 * (ISO 8601, UTC), JSON as text; what other programs stored there is decoded as it is.
 *
 * `integer` says that a `number` holds what comes, unless the schema's `integerMode` is `bigint`; `bigint` that it may be larger, and is one
 * in every mode.
 */
export const column = {
  text: same<string>('TEXT'),
  integer: new Column<number, number | bigint>('INTEGER', {
    encode: (value) => value,
    // The declaration's word; `Row` tells what it is in which mode.
    decode: (stored, integers) => integerColumnIn(integers, stored) as number,
  }),
  real: same<number>('REAL'),
  blob: same<Uint8Array>('BLOB'),
  boolean: new Column<boolean, number | bigint>('INTEGER', {
    encode: Number,
    decode: (stored) => Number(stored) !== 0,
  }),
  bigint: new Column<bigint, number | bigint>('INTEGER', {
    encode: (value) => value,
    decode: (stored) => BigInt(stored),
  }),
  date: new Column<Date, string>('TEXT', {
    encode: (value) => value.toISOString(),
    decode: (stored) => new Date(stored),
  }),
  json: <Value>(): Column<Value, string> =>
    new Column<Value, string>('TEXT', {
      encode: (value) => JSON.stringify(value),
      decode: (stored) => JSON.parse(stored) as Value,
    }),
} as const;

function sqlLiteral(value: SqlValue): string {
  if (typeof value === 'string') return quoteText(value);
  if (value instanceof Uint8Array) {
    const hex = Array.from(value, (byte) => byte.toString(16).padStart(2, '0'));
    return `x'${hex.join('')}'`;
  }
  return value === null ? 'NULL' : String(value);
}
