import type { SqliteRow, SqliteValue } from '@sluice/model';
import { UNCHANGED, type ChangedValue, type ChangeEvent, type SourceTable } from '@sluice/source';
import type { RelationMessage } from './message.ts';
import { parseMessage } from './parse-message.ts';
import { protocolError } from './protocol-error.ts';
import type { RelationPlan } from './relation-plan.ts';
import { TupleDecoder } from './tuple-decoder.ts';

export interface PgOutputDecoderOptions {
  /**
   * Says how a relation is decoded; `planRelation` does the work once types and, with replica
   * identity full, the primary key are known. Called for every relation message, which come before
   * the first change of a table and again after its definition may have changed.
   */
  readonly describe: (relation: RelationMessage) => RelationPlan | Promise<RelationPlan>;
  /** Changes of tables for which this is false are skipped undecoded. Asked once per definition. */
  readonly isWanted: (table: SourceTable) => boolean;
}

const INSERT = 0x49; // I
const UPDATE = 0x55; // U
const DELETE = 0x44; // D
const NEW = 0x4e; // N
const KEY = 0x4b; // K
const OLD = 0x4f; // O

interface KnownRelation {
  readonly table: SourceTable;
  readonly tuples: TupleDecoder;
  readonly wanted: boolean;
  /** Equal for equal definitions. */
  readonly fingerprint: string;
}

/**
 * Turns the pgoutput messages of one connection, in order, into change events. Protocol versions 1
 * to 4 without `streaming` and `two_phase`. Not to be used again after an error.
 */
export class PgOutputDecoder {
  readonly #options: PgOutputDecoderOptions;
  readonly #relations = new Map<number, KnownRelation>();
  #inTransaction = false;

  constructor(options: PgOutputDecoderOptions) {
    this.#options = options;
  }

  /** Whether a `begin` has come whose `commit` has not. */
  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /**
   * Decodes one message, the body of an XLogData, and appends its events to `events`. A returned
   * promise (only for a relation message) must settle before the next call. Values do not keep
   * `message` alive, so its memory may be used again.
   *
   * @throws SourceError `SOURCE_PROTOCOL` for malformed messages and messages out of order.
   */
  decode(message: Buffer, events: ChangeEvent[]): Promise<void> | undefined {
    const type = message[0] ?? 0;
    switch (type) {
      case INSERT:
        return this.#insert(message, events);
      case UPDATE:
        return this.#update(message, events);
      case DELETE:
        return this.#delete(message, events);
      default:
        return this.#control(message, events);
    }
  }

  #insert(message: Buffer, events: ChangeEvent[]): undefined {
    const { table, tuples, wanted } = this.#relationOf(message);
    if (!wanted) return;
    if (message[5] !== NEW) throw protocolError('an insert without a row');
    const row = tuples.row(message, 6);
    expectEnd(message, tuples.end);
    events.push({ kind: 'insert', table, row });
  }

  #update(message: Buffer, events: ChangeEvent[]): undefined {
    const { table, tuples, wanted } = this.#relationOf(message);
    if (!wanted) return;
    let at = 5;
    let old: SqliteRow | undefined;
    if (message[at] === KEY || message[at] === OLD) {
      old = tuples.row(message, at + 1);
      at = tuples.end;
    }
    if (message[at] !== NEW) throw protocolError('an update without a row');
    const row = tuples.changedRow(message, at + 1);
    expectEnd(message, tuples.end);
    const before = old && completeFromOld(table, old, row) ? old : undefined;
    events.push({ kind: 'update', table, before, row });
  }

  #delete(message: Buffer, events: ChangeEvent[]): undefined {
    const { table, tuples, wanted } = this.#relationOf(message);
    if (!wanted) return;
    if (message[5] !== KEY && message[5] !== OLD) throw protocolError('a delete without a row');
    const before = tuples.row(message, 6);
    expectEnd(message, tuples.end);
    events.push({ kind: 'delete', table, before });
  }

  #relationOf(message: Buffer): KnownRelation {
    if (message.length < 6) throw protocolError('a row change is cut off');
    this.#expectTransaction(true);
    return this.#relation(message.readUInt32BE(1));
  }

  #relation(oid: number): KnownRelation {
    const relation = this.#relations.get(oid);
    if (!relation) throw protocolError('a change of a relation that was not described', { oid });
    return relation;
  }

  #control(buffer: Buffer, events: ChangeEvent[]): Promise<void> | undefined {
    const message = parseMessage(buffer);
    switch (message.kind) {
      case 'begin':
        this.#expectTransaction(false);
        this.#inTransaction = true;
        events.push({
          kind: 'begin',
          transactionId: message.transactionId,
          commitPosition: message.commitLsn,
        });
        return undefined;
      case 'commit':
        this.#expectTransaction(true);
        this.#inTransaction = false;
        events.push({
          kind: 'commit',
          position: message.endLsn,
          committedAtMs: message.committedAtMs,
        });
        return undefined;
      case 'relation':
        return this.#describe(message, events);
      case 'truncate': {
        this.#expectTransaction(true);
        const truncated = message.relationOids.map((oid) => this.#relation(oid));
        const tables = truncated.filter(({ wanted }) => wanted).map(({ table }) => table);
        if (tables.length > 0) events.push({ kind: 'truncate', tables });
        return undefined;
      }
      case 'message':
        // Comes in log order with whole transactions, so all that lies before it has been sent.
        if (!message.transactional && !this.#inTransaction) {
          events.push({ kind: 'idle', position: message.lsn, marked: true });
        }
        return undefined;
      case 'origin':
      case 'type':
        return undefined;
    }
  }

  #describe(relation: RelationMessage, events: ChangeEvent[]): Promise<void> | undefined {
    const described = this.#options.describe(relation);
    if (!(described instanceof Promise)) {
      this.#adopt(relation.relationOid, described, events);
      return undefined;
    }
    return described.then((plan) => this.#adopt(relation.relationOid, plan, events));
  }

  #adopt(oid: number, { table, columns }: RelationPlan, events: ChangeEvent[]): void {
    const known = this.#relations.get(oid);
    const fingerprint = JSON.stringify(table);
    const tuples = new TupleDecoder(columns);
    // The server repeats definitions at will; consumers only hear of those that differ.
    if (known?.fingerprint === fingerprint) {
      this.#relations.set(oid, { ...known, tuples });
      return;
    }
    const wanted = this.#options.isWanted(table);
    this.#relations.set(oid, { table, tuples, wanted, fingerprint });
    // A table that a rename made unwanted is announced once more, so that its rows can go.
    if (wanted || known?.wanted) events.push({ kind: 'table', table });
  }

  #expectTransaction(expected: boolean): void {
    if (this.#inTransaction === expected) return;
    throw protocolError(
      expected ? 'a change outside transactions' : 'a transaction within another',
    );
  }
}

function expectEnd(message: Buffer, end: number): void {
  if (message.length !== end) throw protocolError('bytes behind its end', { offset: end });
}

/**
 * Fills values that the new row leaves out from the old row, as far as the old row has them, and
 * says whether the row's identity changed. Without a key the whole row is its identity.
 */
function completeFromOld(table: SourceTable, old: SqliteRow, row: ChangedValue[]): boolean {
  const isFull = table.identity === 'full';
  if (isFull) {
    for (let i = 0; i < row.length; i++) complete(old, row, i);
    if (table.keyColumns.length === 0) return old.some((value, i) => !isSame(value, row[i]));
  }
  let changed = false;
  for (const column of table.keyColumns) {
    complete(old, row, column);
    if (!isSame(old[column], row[column])) changed = true;
  }
  return changed;
}

function complete(old: SqliteRow, row: ChangedValue[], column: number): void {
  if (row[column] === UNCHANGED) row[column] = old[column] ?? null;
}

function isSame(a: SqliteValue | undefined, b: ChangedValue | undefined): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return a === b;
}
