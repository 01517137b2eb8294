import type { EvaluatedRow, SqliteRow } from '@sluice/model';
import type { PutRow } from '@sluice/storage';

/**
 * A row to put that is evaluated when storage asks for it, which it does once. A batch then holds
 * source rows only: what evaluation makes is several times as large, and is garbage right after the
 * row has been written.
 */
export class PendingPut implements PutRow {
  readonly kind = 'put';
  readonly tableId: number;
  readonly key: string;
  readonly ifAbsent: boolean;
  readonly copy: Uint8Array | undefined;
  readonly #evaluate: (row: SqliteRow) => EvaluatedRow;
  readonly #values: SqliteRow;

  constructor(parts: {
    readonly tableId: number;
    readonly key: string;
    readonly ifAbsent: boolean;
    readonly copy: Uint8Array | undefined;
    /** As the table is defined now; a later definition must not read an earlier row. */
    readonly evaluate: (row: SqliteRow) => EvaluatedRow;
    readonly values: SqliteRow;
  }) {
    this.tableId = parts.tableId;
    this.key = parts.key;
    this.ifAbsent = parts.ifAbsent;
    this.copy = parts.copy;
    this.#evaluate = parts.evaluate;
    this.#values = parts.values;
  }

  get row(): EvaluatedRow {
    return this.#evaluate(this.#values);
  }
}

/** About how much memory the values of a row take. */
export function rowBytes(row: SqliteRow): number {
  let bytes = 0;
  for (const value of row) {
    bytes += 16;
    if (typeof value === 'string') bytes += value.length;
    else if (value instanceof Uint8Array) bytes += value.byteLength;
  }
  return bytes;
}
