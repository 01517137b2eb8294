import type { SourcePosition } from '@sluice/model';

/** A message about the log itself; row changes are decoded without building a message. */
export type ControlMessage =
  | BeginMessage
  | CommitMessage
  | RelationMessage
  | TruncateMessage
  | LogicalMessage
  | { readonly kind: 'origin' }
  | { readonly kind: 'type' };

export interface BeginMessage {
  readonly kind: 'begin';
  /** Where the commit record lies. */
  readonly commitLsn: SourcePosition;
  readonly committedAtMs: number;
  readonly transactionId: string;
}

export interface CommitMessage {
  readonly kind: 'commit';
  /** Behind the commit record; streaming from here goes on with the next transaction. */
  readonly endLsn: SourcePosition;
  readonly committedAtMs: number;
}

/** A table's definition as of the changes that follow. */
export interface RelationMessage {
  readonly kind: 'relation';
  readonly relationOid: number;
  readonly schema: string;
  readonly name: string;
  readonly identity: 'default' | 'index' | 'full' | 'nothing';
  readonly columns: readonly RelationColumn[];
}

export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
  /** Part of the replica identity; with identity `full` all columns are. */
  readonly isKey: boolean;
}

export interface TruncateMessage {
  readonly kind: 'truncate';
  readonly relationOids: readonly number[];
}

/** What `pg_logical_emit_message` wrote. */
export interface LogicalMessage {
  readonly kind: 'message';
  /** False: written outside any transaction, delivered at once and even if one was rolled back. */
  readonly transactional: boolean;
  readonly lsn: SourcePosition;
  readonly prefix: string;
}
