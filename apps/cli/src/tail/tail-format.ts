import type { JsonValue } from '@sluice/base';
import type { Screen } from '../terminal/screen.ts';
import { counted, cut, formatCount, formatDuration } from '../terminal/text.ts';
import type { BucketSummary, TailEvent } from './tail-view.ts';

type Colors = Screen['colors'];

export interface FormatOptions {
  readonly colors: Colors;
  /** A line is cut to this; Infinity where nothing should be. */
  readonly maxColumns: number;
  readonly atMs: number;
}

const MAX_VALUE_LENGTH = 48;
const OP_COLUMNS = 6;

type ChangeEvent = Extract<TailEvent, { kind: 'change' }>;
type SyncedEvent = Extract<TailEvent, { kind: 'synced' }>;
type CheckpointEvent = Extract<TailEvent, { kind: 'checkpoint' }>;
type MismatchEvent = Extract<TailEvent, { kind: 'mismatch' }>;

/** `12:30:01.250  PUT     todos  3f2a…  completed 0 → 1` */
export function formatChange(event: ChangeEvent, options: FormatOptions): string {
  const { colors } = options;
  const paintOp = event.op === 'REMOVE' ? colors.red : event.isNew ? colors.green : colors.yellow;
  const line = new PaintedLine(options.maxColumns);
  line.add(clockTime(options.atMs), colors.dim).add('  ');
  line.add(event.op.padEnd(OP_COLUMNS), paintOp).add('  ');
  line.add(event.table, colors.bold).add('  ').add(event.id, colors.dim);
  for (const { column, before, after } of event.columns) {
    line.add('  ').add(column, colors.cyan).add(' ');
    if (!event.isNew) line.add(formatValue(before), colors.dim).add(' → ');
    line.add(formatValue(after));
  }
  return line.text;
}

export function formatSynced(event: SyncedEvent, tookMs: number, options: FormatOptions): string {
  const { colors } = options;
  const rows = [...event.rowsByTable.values()].reduce((sum, count) => sum + count, 0);
  const tables = [...event.rowsByTable]
    .map(([table, count]) => `${table} ${formatCount(count)}`)
    .join(', ');
  const head = `${colors.green('✓')} ${colors.bold(counted(rows, 'row'))} in ${formatDuration(tookMs)}`;
  const detail = `${counted(event.bucketCount, 'bucket')}, checksums right, checkpoint ${event.opId}`;
  return `${head}${tables === '' ? '' : `: ${tables}`} ${colors.dim(`(${detail})`)}`;
}

export function formatCheckpoint(
  event: CheckpointEvent,
  sinceLastMs: number,
  options: FormatOptions,
): string {
  const parts = [
    `checkpoint ${event.opId}`,
    counted(event.changeCount, 'change'),
    `${formatDuration(sinceLastMs)} after the last`,
    ...(event.writeCheckpoint === undefined ? [] : [`write checkpoint ${event.writeCheckpoint}`]),
  ];
  return options.colors.dim(`${clockTime(options.atMs)}  ── ${parts.join(' · ')}`);
}

export function formatMismatch(event: MismatchEvent, options: FormatOptions): string {
  const { colors } = options;
  const sums = `expected ${hex(event.expected)}, got ${hex(event.actual)}`;
  const shout = colors.bold(colors.bgRed(colors.white(' CHECKSUM MISMATCH ')));
  return `${shout} bucket ${event.bucket}: ${sums}. It will be downloaded again; please report this`;
}

export function formatBuckets(buckets: readonly BucketSummary[], colors: Colors): string[] {
  return buckets.map(({ bucket, priority, rowCount, checksum }) =>
    [
      `    ${colors.dim(hex(checksum))}`,
      colors.dim(`priority ${priority}`),
      counted(rowCount, 'row').padStart(10),
      bucket,
    ].join('  '),
  );
}

/** `-` for absent, quotes only around text that could be taken for something else. */
export function formatValue(value: JsonValue | undefined): string {
  if (value === undefined) return '-';
  if (typeof value !== 'string') return cut(JSON.stringify(value), MAX_VALUE_LENGTH);
  const plain = /^[^\s"',→]+$/.test(value) && Number.isNaN(Number(value)) && value !== 'null';
  return cut(plain ? value : JSON.stringify(value), MAX_VALUE_LENGTH);
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

function clockTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const seconds = `${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  return `${two(at.getHours())}:${two(at.getMinutes())}:${seconds}`;
}

/** Cuts by what is seen, not by what is written, and never inside an escape sequence. */
class PaintedLine {
  text = '';
  #room: number;

  constructor(maxColumns: number) {
    this.#room = maxColumns;
  }

  add(part: string, paint: (text: string) => string = (text) => text): this {
    if (this.#room <= 0 || part === '') return this;
    const fitting = cut(part, this.#room);
    this.#room -= part.length;
    this.text += paint(fitting);
    return this;
  }
}
