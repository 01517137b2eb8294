import type { SourcePosition } from '@sluice/model';
import { quoteLiteral, quoteName } from '../connect/quoting.ts';
import { parseLsn } from '../pgoutput/lsn.ts';

/**
 * The messages inside COPY of the streaming replication protocol.
 * Source: https://www.postgresql.org/docs/18/protocol-replication.html
 */
export const XLOG_DATA = 0x77; // w
export const KEEPALIVE = 0x6b; // k

/** Kind, start and end of the data in the log, clock. */
export const XLOG_DATA_HEADER_BYTES = 1 + 8 + 8 + 8;
/** Kind, end of the log that was read, clock, whether a reply is wanted. */
export const KEEPALIVE_BYTES = 1 + 8 + 8 + 1;

const STATUS_UPDATE = 0x72; // r
const MICROS_1970_TO_2000 = 946_684_800_000_000n;

export function startReplicationSql(options: {
  readonly slot: string;
  readonly publication: string;
  /** Empty: where the slot stands. */
  readonly after: SourcePosition;
}): string {
  const start = options.after === '' ? '0/0' : options.after;
  const publications = quoteLiteral(quoteName(options.publication));
  return (
    `START_REPLICATION SLOT ${quoteName(options.slot)} LOGICAL ${start} ` +
    `("proto_version" '1', "publication_names" ${publications}, "messages" 'true')`
  );
}

export interface StandbyStatus {
  /** Everything up to here has arrived. */
  readonly received: SourcePosition;
  /** Everything up to here may be discarded by the server. */
  readonly flushed: SourcePosition;
  readonly nowMs: number;
  readonly wantsReply: boolean;
}

/** What tells the server how far this side is, and that it is alive. */
export function standbyStatus(status: StandbyStatus): Buffer {
  const body = Buffer.alloc(1 + 8 + 8 + 8 + 8 + 1);
  body[0] = STATUS_UPDATE;
  body.writeBigUInt64BE(lsnOf(status.received), 1);
  body.writeBigUInt64BE(lsnOf(status.flushed), 9);
  body.writeBigUInt64BE(lsnOf(status.flushed), 17);
  body.writeBigInt64BE(BigInt(Math.round(status.nowMs)) * 1000n - MICROS_1970_TO_2000, 25);
  body[33] = status.wantsReply ? 1 : 0;
  return body;
}

function lsnOf(position: SourcePosition): bigint {
  return position === '' ? 0n : parseLsn(position);
}
