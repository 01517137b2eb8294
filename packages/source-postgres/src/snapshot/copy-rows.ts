import { SourceError } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import { decodeServerMessage, FRAME, FRAME_HEADER_BYTES, frameEnd } from '../connect/frames.ts';
import { toSourceError } from '../connect/source-error.ts';
import type { WireConnection } from '../connect/wire-connection.ts';
import type { DecodeSlice } from '../types/text-slice.ts';

/** Signature, flags and the length of the extension area. */
const COPY_HEADER_BYTES = 11 + 4 + 4;
const COPY_SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');

export interface CopyOptions {
  readonly sql: string;
  /** One for each column of the query. */
  readonly decoders: readonly DecodeSlice[];
  /** A batch ends with this many rows, or soon after this many bytes. */
  readonly maxRows: number;
  readonly maxBytes: number;
  /** How long to wait for the next bytes. */
  readonly timeoutMs: number;
}

/** Rows as arrays of values in the order of the query's columns. */
export type CopiedRows = SqliteValue[][];

/**
 * Runs `COPY (query) TO STDOUT (FORMAT binary)` and yields its rows in batches, decoded straight from
 * the socket's buffers. The connection is free for the next query when it ends.
 *
 * @throws SourceError with the code that fits the server's error, or `SOURCE_TIMEOUT`.
 */
export async function* copyRows(
  connection: WireConnection,
  options: CopyOptions,
): AsyncGenerator<CopiedRows> {
  const { maxRows, maxBytes, timeoutMs } = options;
  const reader = new CopyReader(options.decoders);
  connection.start(options.sql);
  let bytes = 0;
  while (!reader.isDone) {
    const block = await connection.readBlock(timeoutMs);
    bytes += block.length;
    for (let at = 0; at < block.length;) {
      at = reader.read(block, at, maxRows);
      if (reader.rows.length >= maxRows || (bytes >= maxBytes && at === block.length)) {
        bytes = 0;
        if (reader.rows.length > 0) yield reader.takeRows();
      }
    }
  }
  if (reader.error) throw toSourceError(reader.error, connection.settings, 'Reading a table');
  if (reader.rows.length > 0) yield reader.takeRows();
}

/** Reads the frames of one COPY. Rows gather in `rows` until they are taken. */
class CopyReader {
  readonly #decoders: readonly DecodeSlice[];
  #headerSeen = false;
  rows: CopiedRows = [];
  /** The server is ready for the next query. */
  isDone = false;
  error: Error | undefined;

  constructor(decoders: readonly DecodeSlice[]) {
    this.#decoders = decoders;
  }

  takeRows(): CopiedRows {
    const { rows } = this;
    this.rows = [];
    return rows;
  }

  /** Reads frames from `offset` on until `maxRows` rows wait; returns where it stopped. */
  read(block: Buffer, offset: number, maxRows: number): number {
    let at = offset;
    while (at < block.length && this.rows.length < maxRows) {
      const end = frameEnd(block, at);
      const kind = block[at];
      if (kind === FRAME.copyData) this.#copyData(block, at + FRAME_HEADER_BYTES, end);
      else if (kind === FRAME.readyForQuery) this.isDone = true;
      else if (kind === FRAME.errorResponse) {
        this.error ??= decodeServerMessage(block, at + FRAME_HEADER_BYTES, end);
      }
      at = end;
    }
    return at;
  }

  /** The server puts each row in a message of its own; the header stands before the first. */
  #copyData(block: Buffer, start: number, end: number): void {
    let at = start;
    if (!this.#headerSeen) {
      if (block.compare(COPY_SIGNATURE, 0, 11, at, at + 11) !== 0) throw malformed('no signature');
      at += COPY_HEADER_BYTES + block.readInt32BE(at + 15);
      this.#headerSeen = true;
    }
    if (at === end) return;
    const columns = block.readInt16BE(at);
    if (columns === -1) return; // the trailer
    if (columns !== this.#decoders.length) throw malformed(`${columns} columns`);
    this.rows.push(this.#row(block, at + 2, end));
  }

  #row(block: Buffer, start: number, end: number): SqliteValue[] {
    const row: SqliteValue[] = [];
    let at = start;
    for (const decode of this.#decoders) {
      if (at + 4 > end) throw malformed('a row is cut off');
      const bytes =
        ((block[at] ?? 0) << 24) |
        ((block[at + 1] ?? 0) << 16) |
        ((block[at + 2] ?? 0) << 8) |
        (block[at + 3] ?? 0);
      at += 4;
      if (bytes < 0) {
        row.push(null);
        continue;
      }
      const valueEnd = at + bytes;
      if (valueEnd > end) throw malformed('a value is cut off');
      row.push(decode(block, at, valueEnd));
      at = valueEnd;
    }
    return row;
  }
}

function malformed(what: string): SourceError {
  return new SourceError('SOURCE_PROTOCOL', `COPY sent a message that is not as expected: ${what}`);
}
