import type { SeededRandom } from '@sluice/testing';
import type { ScriptedStream } from './scripted-service.ts';

interface SentOp {
  readonly op_id: string;
  readonly op: 'PUT' | 'REMOVE';
  readonly checksum: number;
  readonly [field: string]: unknown;
}

interface Connection {
  /** Lines that are still to be sent for the checkpoint that was begun. */
  readonly lines: unknown[];
  /** Operations that are sent, or among `lines`, by bucket. */
  readonly upTo: Map<string, bigint>;
  writeCheckpoint: number;
}

/**
 * What a service of today says, or one of those that clients still meet (spec/protocol.md 2.4, 12.3): rows embedded in lines, signed sums, other
 * names, and neither priorities nor streams, subscriptions or counts.
 */
export type ServiceForm = 'current' | 'legacy';

/** The more urgent one first. */
const NAMES = {
  current: ['7#notes|0["urgent"]', '7#notes|0["later"]'],
  legacy: ['global[]', 'by_user["u1"]'],
} as const;

/** Rows of one table in two buckets, and what a service says of them to a stream, line by line (spec/protocol.md 2). */
export class SimulatedBuckets {
  readonly rows = new Map<string, string>();
  readonly #random: SeededRandom;
  readonly #form: ServiceForm;
  readonly #names: readonly [urgent: string, later: string];
  readonly #ops: ReadonlyMap<string, SentOp[]>;
  readonly #connections = new WeakMap<ScriptedStream, Connection>();
  #lastOp = 0n;

  constructor(random: SeededRandom, form: ServiceForm = 'current') {
    this.#random = random;
    this.#form = form;
    this.#names = NAMES[form];
    this.#ops = new Map(this.#names.map((name) => [name, []]));
  }

  put(id: string, name: string): void {
    this.rows.set(id, name);
    this.#log('PUT', id, JSON.stringify({ id, name }));
  }

  remove(id: string): void {
    if (this.rows.delete(id)) this.#log('REMOVE', id, null);
  }

  /** Sends the stream's next line; false if there is nothing to say. */
  pump(stream: ScriptedStream, writeCheckpoint: number, damage: boolean): boolean {
    const connection = this.#connections.get(stream) ?? this.#begin(stream, writeCheckpoint);
    if (connection.lines.length === 0) this.#addDiff(connection, writeCheckpoint);
    const line = connection.lines.shift();
    if (line === undefined) return false;
    stream.send(damage ? damaged(line) : line);
    return true;
  }

  #log(op: 'PUT' | 'REMOVE', id: string, data: string | null): void {
    this.#lastOp += 1n;
    const [urgent, later] = this.#names;
    this.#ops.get(id.charCodeAt(id.length - 1) % 2 === 0 ? urgent : later)?.push({
      op_id: String(this.#lastOp),
      op,
      object_type: 'lists',
      object_id: id,
      subkey: id,
      checksum: this.#random.int(2 ** 32),
      data: this.#form === 'legacy' && data !== null ? JSON.parse(data) : data,
    });
  }

  #begin(stream: ScriptedStream, writeCheckpoint: number): Connection {
    const upTo = new Map(stream.request.buckets.map(({ name, after }) => [name, BigInt(after)]));
    const connection = { lines: [], upTo, writeCheckpoint };
    this.#connections.set(stream, connection);
    const buckets = this.#names.map((name) => this.#described(name));
    const streams = this.#form === 'legacy' ? {} : { streams: [] };
    const body = { ...this.#head(writeCheckpoint), buckets, ...streams };
    this.#addLines(connection, { checkpoint: body });
    return connection;
  }

  #addDiff(connection: Connection, writeCheckpoint: number): void {
    const changed = this.#names.filter((name) => this.#after(connection, name).length > 0);
    if (changed.length === 0 && connection.writeCheckpoint === writeCheckpoint) return;
    connection.writeCheckpoint = writeCheckpoint;
    const updated = changed.map((name) => this.#described(name));
    const body = { ...this.#head(writeCheckpoint), updated_buckets: updated, removed_buckets: [] };
    this.#addLines(connection, { checkpoint_diff: body });
  }

  #addLines(connection: Connection, first: unknown): void {
    const last_op_id = String(this.#lastOp);
    connection.lines.push(first);
    for (const name of this.#names) {
      const ops = this.#after(connection, name);
      for (let at = 0; at < ops.length; at += 2) {
        connection.lines.push({ data: { bucket: name, data: ops.slice(at, at + 2) } });
      }
      connection.upTo.set(name, this.#lastOp);
      if (this.#form === 'current' && this.#priority(name) === 1) {
        connection.lines.push({ partial_checkpoint_complete: { last_op_id, priority: 1 } });
      }
    }
    connection.lines.push({ checkpoint_complete: { last_op_id } });
  }

  #after({ upTo }: Connection, name: string): readonly SentOp[] {
    const after = upTo.get(name) ?? 0n;
    return (this.#ops.get(name) ?? []).filter(({ op_id }) => BigInt(op_id) > after);
  }

  #head(writeCheckpoint: number) {
    return {
      last_op_id: String(this.#lastOp),
      ...(writeCheckpoint > 0 ? { write_checkpoint: String(writeCheckpoint) } : {}),
    };
  }

  #described(name: string) {
    const ops = this.#ops.get(name) ?? [];
    const checksum = ops.reduce((sum, op) => (sum + op.checksum) >>> 0, 0);
    if (this.#form === 'legacy') return { bucket: name, checksum: checksum | 0 };
    const priority = this.#priority(name);
    return { bucket: name, checksum, count: ops.length, priority, subscriptions: [] };
  }

  #priority(name: string): number {
    return name === this.#names[0] ? 1 : 3;
  }
}

/** A line of operations with another checksum, as a fault on the way would leave it. */
function damaged(line: unknown): unknown {
  const text = JSON.stringify(line);
  return text.startsWith('{"data"')
    ? JSON.parse(text.replace(/"checksum":\d+/, '"checksum":1'))
    : line;
}
