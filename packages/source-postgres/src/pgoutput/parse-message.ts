import { ByteReader } from './byte-reader.ts';
import type {
  BeginMessage,
  CommitMessage,
  ControlMessage,
  LogicalMessage,
  RelationColumn,
  RelationMessage,
  TruncateMessage,
} from './message.ts';
import { protocolError } from './protocol-error.ts';

const IDENTITIES: Readonly<Record<string, RelationMessage['identity']>> = {
  d: 'default',
  i: 'index',
  f: 'full',
  n: 'nothing',
};

/**
 * Parses a message that is not a row change: Begin, Commit, Origin, Relation, Type, Truncate or
 * Message, as protocol versions 1 to 4 write them outside streamed transactions. `buffer` holds
 * exactly one message.
 *
 * @throws SourceError `SOURCE_PROTOCOL` for anything else, and for messages of features that were
 *   not asked for (streamed and prepared transactions).
 */
export function parseMessage(buffer: Buffer): ControlMessage {
  const reader = new ByteReader(buffer, 0);
  const type = String.fromCharCode(reader.uint8());
  const message = parseBody(type, reader);
  reader.end();
  return message;
}

function parseBody(type: string, reader: ByteReader): ControlMessage {
  switch (type) {
    case 'B':
      return parseBegin(reader);
    case 'C':
      return parseCommit(reader);
    case 'R':
      return parseRelation(reader);
    case 'T':
      return parseTruncate(reader);
    case 'M':
      return parseLogicalMessage(reader);
    case 'O':
      reader.lsn();
      reader.text();
      return { kind: 'origin' };
    case 'Y':
      reader.skip(4);
      reader.text();
      reader.text();
      return { kind: 'type' };
    default:
      throw protocolError('its type is unknown or was not asked for', {
        typeCode: type.charCodeAt(0),
      });
  }
}

function parseBegin(reader: ByteReader): BeginMessage {
  return {
    kind: 'begin',
    commitLsn: reader.lsn(),
    committedAtMs: reader.timestampMs(),
    transactionId: String(reader.uint32()),
  };
}

function parseCommit(reader: ByteReader): CommitMessage {
  reader.skip(1 + 8); // flags, none defined; where the commit record lies
  return { kind: 'commit', endLsn: reader.lsn(), committedAtMs: reader.timestampMs() };
}

function parseRelation(reader: ByteReader): RelationMessage {
  const relationOid = reader.uint32();
  const schema = reader.text() || 'pg_catalog';
  const name = reader.text();
  const identity = IDENTITIES[String.fromCharCode(reader.uint8())];
  if (!identity) throw protocolError('unknown replica identity', { relationOid });
  const columns: RelationColumn[] = [];
  for (let left = reader.int16(); left > 0; left--) {
    const isKey = (reader.uint8() & 1) === 1;
    columns.push({
      name: reader.text(),
      typeOid: reader.uint32(),
      typeModifier: reader.int32(),
      isKey,
    });
  }
  return { kind: 'relation', relationOid, schema, name, identity, columns };
}

function parseTruncate(reader: ByteReader): TruncateMessage {
  const count = reader.int32();
  reader.skip(1); // CASCADE and RESTART IDENTITY; the tables are all named anyway
  const relationOids: number[] = [];
  for (let left = count; left > 0; left--) relationOids.push(reader.uint32());
  return { kind: 'truncate', relationOids };
}

function parseLogicalMessage(reader: ByteReader): LogicalMessage {
  const transactional = (reader.uint8() & 1) === 1;
  const lsn = reader.lsn();
  const prefix = reader.text();
  reader.skip(reader.int32());
  return { kind: 'message', transactional, lsn, prefix };
}
