import { SourceError } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import type { ChangeEvent } from '@sluice/source';
import { decodeServerMessage, FRAME, FRAME_HEADER_BYTES, frameEnd } from '../connect/frames.ts';
import { readLsn } from '../pgoutput/lsn.ts';
import type { PgOutputDecoder } from '../pgoutput/pg-output-decoder.ts';
import {
  KEEPALIVE,
  KEEPALIVE_BYTES,
  XLOG_DATA,
  XLOG_DATA_HEADER_BYTES,
} from './replication-messages.ts';

/**
 * Turns blocks of frames of a replication connection into change events, and keeps account of how
 * far the log has been read. No I/O.
 */
export class BlockDecoder {
  readonly #decoder: PgOutputDecoder;
  #received: SourcePosition;
  #replyWanted = false;

  constructor(decoder: PgOutputDecoder, after: SourcePosition) {
    this.#decoder = decoder;
    this.#received = after;
  }

  /** Every transaction that committed up to here has been returned. */
  get received(): SourcePosition {
    return this.#received;
  }

  /** Whether the server has asked for a status since the last call. */
  takeReplyWanted(): boolean {
    const wanted = this.#replyWanted;
    this.#replyWanted = false;
    return wanted;
  }

  /** Whether a `begin` has been returned whose `commit` has not. */
  get inTransaction(): boolean {
    return this.#decoder.inTransaction;
  }

  /** Appends the events of one block of whole frames, in order. */
  async decode(block: Buffer, events: ChangeEvent[]): Promise<void> {
    for (let at = 0; at < block.length;) {
      const end = frameEnd(block, at);
      const body = at + FRAME_HEADER_BYTES;
      if (block[at] === FRAME.copyData) {
        const described = this.#copyData(block, body, end, events);
        if (described) await described; // only relation messages have to wait, for the catalog
      } else {
        otherFrame(block, at, end);
      }
      at = end;
    }
    this.#noteProgress(events);
  }

  #copyData(
    block: Buffer,
    start: number,
    end: number,
    events: ChangeEvent[],
  ): Promise<void> | undefined {
    const kind = block[start];
    if (kind === XLOG_DATA && end - start > XLOG_DATA_HEADER_BYTES) {
      return this.#decoder.decode(block.subarray(start + XLOG_DATA_HEADER_BYTES, end), events);
    }
    if (kind === KEEPALIVE && end - start >= KEEPALIVE_BYTES) {
      if (block[start + KEEPALIVE_BYTES - 1] === 1) this.#replyWanted = true;
      this.#keepalive(readLsn(block, start + 1), events);
      return undefined;
    }
    throw new SourceError('SOURCE_PROTOCOL', `Unknown replication message of kind ${kind}`);
  }

  /** The server has read the log up to `walEnd`, and sent what committed before it. */
  #keepalive(walEnd: SourcePosition, events: ChangeEvent[]): void {
    if (this.#decoder.inTransaction) return;
    this.#noteProgress(events);
    if (walEnd > this.#received) events.push({ kind: 'idle', position: walEnd });
  }

  #noteProgress(events: readonly ChangeEvent[]): void {
    for (let i = events.length - 1; i >= 0; i--) {
      const event = events[i];
      if (event?.kind !== 'commit' && event?.kind !== 'idle') continue;
      if (event.position > this.#received) this.#received = event.position;
      return;
    }
  }
}

/** Frames beside COPY data: the stream never ends by itself, so most of them end it. */
function otherFrame(block: Buffer, at: number, end: number): void {
  const kind = block[at];
  if (kind === FRAME.errorResponse) {
    throw decodeServerMessage(block, at + FRAME_HEADER_BYTES, end);
  }
  if (kind === FRAME.noticeResponse) {
    // Since PostgreSQL 18 the server only warns when it leaves out changes for want of a publication.
    const notice = decodeServerMessage(block, at + FRAME_HEADER_BYTES, end);
    if (notice.code === '55000' && notice.message.includes('publication')) {
      throw new SourceError('SOURCE_PUBLICATION_MISSING', `The server ${notice.message}`);
    }
  }
  if (kind === FRAME.copyDone || kind === FRAME.commandComplete || kind === FRAME.readyForQuery) {
    throw new SourceError('SOURCE_CONNECTION_LOST', 'The source database ended the change stream');
  }
}
