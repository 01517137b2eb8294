/*
 * How fast rows of six columns are decoded on one core, from replication messages (text form) and
 * from a binary COPY. Run: `node -C @sluice/source --import tsx <this file>`.
 *
 * Baseline (Node 20.20, two shared cores of an AMD EPYC): inserts 1.3 million rows/s, best round 2.2;
 * snapshot rows 1.3 to 1.7 million, best round 2.2. PostgreSQL 18 itself, for the same columns: 1.8 us
 * per row with text values, 1.25 us with `binary 'true'`, and 156 against 109 bytes. Streaming still
 * asks for text: the difference is a twentieth of a core at 100,000 rows/s, and in binary the server
 * would send every array, range and composite in a form of its own.
 */
import { cpus } from 'node:os';
import type { ChangeEvent } from '@sluice/source';
import { TypeCatalog } from '../types/type-catalog.ts';
import { PgOutputDecoder } from '../pgoutput/pg-output-decoder.ts';
import { planRelation } from '../pgoutput/relation-plan.ts';

const MESSAGES = 10_000;
const ROUNDS = 60;
const BATCH = 500;

const COLUMNS = [
  { name: 'id', typeOid: 20, isKey: true },
  { name: 'owner', typeOid: 2950, isKey: false },
  { name: 'title', typeOid: 25, isKey: false },
  { name: 'done', typeOid: 16, isKey: false },
  { name: 'created_at', typeOid: 1184, isKey: false },
  { name: 'score', typeOid: 701, isKey: false },
].map((column) => ({ ...column, typeModifier: -1 }));

const types = new TypeCatalog();

function begin(): Buffer {
  return Buffer.concat([Buffer.from('B'), Buffer.alloc(20)]);
}

function relation(): Buffer {
  const columns = COLUMNS.map(({ name, typeOid, isKey }) => {
    const tail = Buffer.alloc(8, 0xff);
    tail.writeUInt32BE(typeOid);
    return Buffer.concat([Buffer.from([isKey ? 1 : 0]), Buffer.from(`${name}\0`), tail]);
  });
  const head = Buffer.from('R\0\0\0\x05public\0todos\0d\0\x06', 'latin1');
  return Buffer.concat([head, ...columns]);
}

function insert(row: readonly string[]): Buffer {
  const values = row.map((value) => {
    const bytes = Buffer.from(value);
    const head = Buffer.from('t....');
    head.writeInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  });
  return Buffer.concat([Buffer.from('I\0\0\0\x05N\0\x06', 'latin1'), ...values]);
}

/** Values without much repetition, so that no cache of the machine makes it look better. */
function textRow(index: number): readonly string[] {
  const hex = (index * 2_654_435_761).toString(16).padStart(12, '0').slice(-12);
  return [
    String(1_000_000 + index),
    `0190f4a0-1c2d-7e3f-8a4b-${hex}`,
    `Todo number ${index} ${index % 10 === 0 ? 'für später' : 'for later on'}`,
    index % 3 === 0 ? 't' : 'f',
    `2031-07-08 09:${10 + (index % 50)}:11.${100_000 + (index % 900_000)}+00`,
    String(index / 7),
  ];
}

/** The fields of a COPY row one after another, and where each begins and ends. */
function binaryRow(index: number): { readonly bytes: Buffer; readonly ends: readonly number[] } {
  const [, uuid = '', title = ''] = textRow(index);
  const fixed = Buffer.alloc(25);
  fixed.writeBigInt64BE(BigInt(1_000_000 + index), 0);
  fixed.writeUInt8(index % 3 === 0 ? 1 : 0, 8);
  fixed.writeBigInt64BE(994_000_000_000_000n + BigInt(index) * 1_234_567n, 9);
  fixed.writeDoubleBE(index / 7, 17);
  const parts = [
    fixed.subarray(0, 8),
    Buffer.from(uuid.replaceAll('-', ''), 'hex'),
    Buffer.from(title),
    fixed.subarray(8, 9),
    fixed.subarray(9, 17),
    fixed.subarray(17, 25),
  ];
  let end = 0;
  return { bytes: Buffer.concat(parts), ends: parts.map((part) => (end += part.length)) };
}

function measure(name: string, round: () => number): void {
  for (let i = 0; i < 5; i++) round();
  let rows = 0;
  let best = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < ROUNDS; i++) {
    const before = process.hrtime.bigint();
    const done = round();
    rows += done;
    best = Math.max(best, done / (Number(process.hrtime.bigint() - before) / 1e9));
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const perSecond = Math.round(rows / seconds).toLocaleString('en');
  process.stdout.write(
    `${name.padEnd(28)} ${perSecond} rows/s (best round ${Math.round(best).toLocaleString('en')})\n`,
  );
}

process.stdout.write(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}\n`);

const decoder = new PgOutputDecoder({
  describe: (message) => planRelation(message, types),
  isWanted: ({ name }) => name === 'todos',
});
const preamble: ChangeEvent[] = [];
for (const message of [begin(), relation()]) void decoder.decode(message, preamble);
const messages = Array.from({ length: MESSAGES }, (_, index) => insert(textRow(index)));
measure('pgoutput inserts, text', () => {
  let events: ChangeEvent[] = [];
  for (const message of messages) {
    void decoder.decode(message, events);
    if (events.length === BATCH) events = [];
  }
  return messages.length;
});

const decoders = COLUMNS.map(({ typeOid }) => types.columnType(typeOid).decodeCopied);
const copied = Array.from({ length: MESSAGES }, (_, index) => binaryRow(index));
measure('snapshot rows, binary', () => {
  let rows: unknown[][] = [];
  for (const { bytes, ends } of copied) {
    const values: unknown[] = [];
    let start = 0;
    for (const [column, decode] of decoders.entries()) {
      const end = ends[column] ?? 0;
      values.push(decode(bytes, start, end));
      start = end;
    }
    rows.push(values);
    if (rows.length === BATCH) rows = [];
  }
  return copied.length;
});
