import type { SqliteRow, SqliteValue } from '@sluice/model';
import { UNCHANGED, type ChangedValue } from '@sluice/source';
import type { ColumnType } from '../types/column-type.ts';
import { protocolError } from './protocol-error.ts';

/** Kinds of values in a tuple. */
const NULL = 0x6e; // n
const OMITTED = 0x75; // u
const TEXT = 0x74; // t
const BINARY = 0x62; // b

/**
 * Decodes the tuples of one table. A tuple is an int16 count, then per column a kind byte and, for
 * text and binary values, an int32 length and the bytes.
 */
export class TupleDecoder {
  /** Where the tuple that was decoded last ends. */
  end = 0;
  readonly #columns: readonly ColumnType[];

  constructor(columns: readonly ColumnType[]) {
    this.#columns = columns;
  }

  /** A tuple that is complete: inserted rows and old rows. */
  row(buffer: Buffer, offset: number): SqliteRow {
    // The cast holds because nothing is left out when omitted values are refused.
    return this.#decode(buffer, offset, false) as SqliteRow;
  }

  /** A tuple in which values that did not change may be left out. */
  changedRow(buffer: Buffer, offset: number): ChangedValue[] {
    return this.#decode(buffer, offset, true);
  }

  #decode(buffer: Buffer, offset: number, mayOmit: boolean): ChangedValue[] {
    const columns = this.#columns;
    const count = columns.length;
    const size = buffer.length;
    let at = offset + 2;
    if (at > size || ((buffer[offset] ?? 0) << 8) + (buffer[offset + 1] ?? 0) !== count) {
      throw protocolError('a row does not have the columns of its table', { offset });
    }
    const values: ChangedValue[] = [];
    for (const column of columns) {
      const kind = buffer[at];
      if (kind === TEXT || kind === BINARY) {
        const start = at + 5;
        if (start > size) throw cutOff(at);
        const length = int32(buffer, at + 1);
        const end = start + length;
        if (length < 0 || end > size) throw cutOff(at);
        values.push(
          kind === TEXT
            ? column.decodeTextSlice(buffer, start, end)
            : decodeBinary(column, buffer, start, end),
        );
        at = end;
      } else if (kind === NULL) {
        values.push(null);
        at++;
      } else if (kind === OMITTED && mayOmit) {
        values.push(UNCHANGED);
        at++;
      } else {
        throw protocolError('a row holds a value of unknown kind', { offset: at });
      }
    }
    this.end = at;
    return values;
  }
}

function decodeBinary(column: ColumnType, buffer: Buffer, start: number, end: number): SqliteValue {
  if (!column.decodeBinary) {
    throw protocolError(`a binary value of type ${column.sourceType} was not asked for`);
  }
  return column.decodeBinary(buffer, start, end);
}

function int32(buffer: Buffer, at: number): number {
  return (
    ((buffer[at] ?? 0) << 24) |
    ((buffer[at + 1] ?? 0) << 16) |
    ((buffer[at + 2] ?? 0) << 8) |
    (buffer[at + 3] ?? 0)
  );
}

function cutOff(offset: number) {
  return protocolError('a row is cut off', { offset });
}
