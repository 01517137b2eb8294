import type { SqliteValue } from '@sluice/model';

/** A row by column name, its values as the sync config and the client's SQLite see them (spec/sync-config.md 4). */
export type RowValues = ReadonlyMap<string, SqliteValue>;

export type WriteOp = 'PUT' | 'PATCH' | 'DELETE';

/** Who writes: the verified claims of the token. */
export interface Caller {
  /** `sub` of the token. */
  readonly userId: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Names the client's local database; undefined where it did not say. */
  readonly clientId: string | undefined;
}

/** One change of one row, on its way to the database. Steps do not alter it, they give another. */
export interface RowWrite {
  readonly op: WriteOp;
  /** As the client calls it. */
  readonly table: string;
  readonly id: string;
  /** The columns to write, without the id; empty for DELETE. */
  readonly values: RowValues;
  /** What the client saw before its change, where it tracks that (`old` of the entry). */
  readonly base: RowValues | undefined;
  /** Free text of the app (`metadata` of the entry). */
  readonly metadata: string | undefined;
  /**
   * Columns in which a conflict rule kept the stored value against the write. When there are any,
   * the entry is answered `conflict` with the row as it is after the write, which then may have no
   * values left.
   */
  readonly conflicts?: readonly string[] | undefined;
}

/** The row as it is stored, locked until the transaction ends; undefined if it is not there. */
export type StoredRow = RowValues | undefined;

/** What the row will be: stored values with the written ones over them; undefined after DELETE. */
export function rowAfter(write: RowWrite, stored: StoredRow): RowValues | undefined {
  if (write.op === 'DELETE') return undefined;
  return new Map([...(stored ?? []), ['id', write.id], ...write.values]);
}

/**
 * A part of the way of a write. It gives the write that goes on, or undefined for "nothing to do".
 *
 * @throws Rejection: the write is refused, acknowledged and recorded, and the others go on.
 */
export type WriteStep = (
  write: RowWrite,
  stored: StoredRow,
  caller: Caller,
) => RowWrite | undefined | Promise<RowWrite | undefined>;
