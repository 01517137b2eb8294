import type { SqliteConnection, SqliteStatement } from '../../driver/contract.ts';
import type { CompiledSchema } from '../../schema/compiled-schema.ts';
import { typeNumber } from '../../schema/layout.ts';
import type { ChangeRecorder } from './change-recorder.ts';
import type { StagedOp } from './staged-ops.ts';
import { serverBody } from './server-body.ts';
import { TableWriter } from './table-writer.ts';

/** One bucket's claim to a row. */
interface Holder {
  readonly bucket: number;
  readonly subkey: string;
  readonly opId: bigint;
  /** Whether the table has this holder's body. */
  readonly shown: boolean;
}

interface ObjectType {
  readonly number: number;
  /** Undefined if the schema has no such table: then every holder keeps its own body. */
  readonly writer: TableWriter | undefined;
}

/**
 * Decides for each operation who shows the row: of all holders the one with the highest op id
 * (spec/protocol.md 4.2). The body is in the table for that one, and in `sluice_row` for the others.
 */
export class RowMerge {
  readonly #connection: SqliteConnection;
  readonly #recorder: ChangeRecorder;
  readonly #types = new Map<string, ObjectType>();
  readonly #schema: CompiledSchema;
  readonly #holders: SqliteStatement;
  readonly #put: SqliteStatement;
  readonly #setData: SqliteStatement;
  readonly #drop: SqliteStatement;
  readonly #next: SqliteStatement;
  readonly #dropShadow: SqliteStatement;

  constructor(connection: SqliteConnection, schema: CompiledSchema, recorder: ChangeRecorder) {
    this.#connection = connection;
    this.#schema = schema;
    this.#recorder = recorder;
    const row = 'type = ? AND id = ?';
    const holder = `${row} AND bucket = ? AND subkey = ?`;
    this.#holders = connection.prepare(
      `SELECT bucket, subkey, op_id, data IS NULL FROM sluice_row WHERE ${row}`,
    );
    this.#put = connection.prepare('INSERT OR REPLACE INTO sluice_row VALUES (?, ?, ?, ?, ?, ?)');
    this.#setData = connection.prepare(`UPDATE sluice_row SET data = ? WHERE ${holder}`);
    this.#drop = connection.prepare(`DELETE FROM sluice_row WHERE ${holder}`);
    this.#next = connection.prepare(
      `SELECT bucket, subkey, data FROM sluice_row WHERE ${row} ORDER BY op_id DESC LIMIT 1`,
    );
    this.#dropShadow = connection.prepare(`DELETE FROM sluice_shadow WHERE ${row}`);
  }

  apply(bucket: number, op: StagedOp): void {
    const type = this.typeOf(op.objectType);
    if (op.data === null) this.remove(type, op.objectId, bucket, op.subkey);
    else this.#store(type, bucket, op, op.data);
  }

  typeOf(name: string): ObjectType {
    const known = this.#types.get(name);
    if (known !== undefined) return known;
    const number = typeNumber(this.#connection, name);
    const isIt = (table: { name: string; kind: string }) =>
      table.name === name && table.kind === 'synced';
    const table = this.#schema.tables.find(isIt);
    const writer =
      table === undefined ? undefined : new TableWriter(this.#connection, table, number);
    const type = { number, writer };
    this.#types.set(name, type);
    return type;
  }

  remove(type: ObjectType, id: string, bucket: number, subkey: string): void {
    const { number, writer } = type;
    const isIt = (holder: Holder) => holder.bucket === bucket && holder.subkey === subkey;
    const gone = this.#holdersOf(number, id).find(isIt);
    if (gone === undefined) return;
    this.#drop.run([number, id, bucket, subkey]);
    if (!gone.shown || writer === undefined) return;
    const next = this.#next.get([number, id]);
    if (next === undefined) {
      this.#dropShadow.run([number, id]);
      writer.remove(id);
      this.#recorder.removed(writer.table, id);
      return;
    }
    const [nextBucket, nextSubkey, data] = next;
    this.#setData.run([null, number, id, nextBucket ?? null, nextSubkey ?? null]);
    this.#show(writer, number, id, String(data));
  }

  #store(type: ObjectType, bucket: number, op: StagedOp, data: string): void {
    const { number, writer } = type;
    const { objectId: id, subkey, opId } = op;
    if (writer === undefined) {
      this.#put.run([number, id, bucket, subkey, opId, data]);
      return;
    }
    const others = this.#holdersOf(number, id).filter(
      (holder) => holder.bucket !== bucket || holder.subkey !== subkey,
    );
    const shown = others.find((holder) => holder.shown);
    if (shown !== undefined && shown.opId > opId) {
      this.#put.run([number, id, bucket, subkey, opId, data]);
      return;
    }
    if (shown !== undefined) this.#takeOut(shown, writer, number, id);
    this.#put.run([number, id, bucket, subkey, opId, null]);
    this.#show(writer, number, id, data);
  }

  /** The body that the table has had so far goes to its holder. */
  #takeOut({ bucket, subkey }: Holder, writer: TableWriter, type: number, id: string): void {
    const body = serverBody(this.#connection, { writer, type, id });
    this.#setData.run([body, type, id, bucket, subkey]);
  }

  #show(writer: TableWriter, type: number, id: string, data: string): void {
    this.#dropShadow.run([type, id]);
    this.#recorder.written(writer.table, id, writer.write(id, data));
  }

  #holdersOf(type: number, id: string): readonly Holder[] {
    return this.#holders.all([type, id]).map(([bucket, subkey, opId, shown]) => ({
      bucket: Number(bucket),
      subkey: String(subkey),
      opId: BigInt(String(opId)),
      shown: shown === 1,
    }));
  }
}
