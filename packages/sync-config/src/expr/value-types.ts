import type { SqliteType } from '@sluice/model';

/**
 * The storage classes that a value may have, as a bit set. NULL is always possible and has no bit,
 * so 0 means that nothing but NULL is known. Source: spec/sync-config.md 17.1.
 */
export type ValueTypes = number;

export const UNKNOWN = 0;
export const BLOB = 1;
export const TEXT = 2;
export const INTEGER = 4;
export const REAL = 8;
/** What JSON can hold as one SQLite value. */
export const ANY_JSON = TEXT | INTEGER | REAL;

const BITS: Readonly<Record<SqliteType, ValueTypes>> = {
  blob: BLOB,
  text: TEXT,
  integer: INTEGER,
  real: REAL,
};

export function typesOfColumn({ sqliteType }: { readonly sqliteType: SqliteType }): ValueTypes {
  return BITS[sqliteType];
}
