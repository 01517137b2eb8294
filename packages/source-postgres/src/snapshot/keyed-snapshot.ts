import { abortReason, BoundedQueue } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import type { SnapshotChunk, SnapshotOptions } from '@sluice/source';
import type { ConnectionSettings } from '../connect/settings.ts';
import { WireConnection } from '../connect/wire-connection.ts';
import { copyRows, type CopiedRows } from './copy-rows.ts';
import { parseProgress, progressOf, type SnapshotPlan } from './snapshot-query.ts';

export interface KeyedSnapshotOptions extends SnapshotOptions {
  readonly settings: ConnectionSettings;
  readonly plan: SnapshotPlan;
  /** The newest position of the source. */
  readonly head: () => Promise<SourcePosition>;
  /** Called once all rows have been read. */
  readonly mark: () => Promise<void>;
  readonly timeoutMs: number;
}

/** Few enough that the garbage collector's young generation holds a chunk until it is written. */
const ROWS_PER_CHUNK = 2000;
/** Wire bytes of a chunk, so that wide rows do not fill the memory. */
const BYTES_PER_CHUNK = 8 * 1024 * 1024;
/**
 * Rows per query. Larger saves little; smaller lets go of the statement's snapshot sooner, so that
 * the source can clean up behind it.
 */
const ROWS_PER_QUERY = 100_000;

/**
 * Reads a table in the order of its key, in queries that each begin behind the last key of the one
 * before. One chunk is read ahead of the consumer.
 *
 * Position of a chunk. Each query sees the transactions whose commit was complete when its snapshot
 * was taken, and a commit is complete only after its record has a place in the log. So all that the
 * rows show lies at or before the log's insert position at any moment after the snapshot was taken.
 * The server answers COPY only after it has taken the snapshot; the position is asked for after the
 * first rows of a query have arrived, and holds for all chunks of that query.
 */
export async function* keyedChunks(options: KeyedSnapshotOptions): AsyncGenerator<SnapshotChunk> {
  const { signal } = options;
  const stop = new AbortController();
  const queue = new BoundedQueue<SnapshotChunk>(1);
  const producer = produce(options, queue, AbortSignal.any([signal, stop.signal]));
  const ended = producer.then(
    () => queue.close(),
    (error: unknown) => queue.fail(error as Error),
  );
  try {
    yield* queue;
    if (signal.aborted) throw abortReason(signal);
  } finally {
    stop.abort();
    await ended;
  }
}

async function produce(
  options: KeyedSnapshotOptions,
  queue: BoundedQueue<SnapshotChunk>,
  signal: AbortSignal,
): Promise<void> {
  const { plan } = options;
  await using connection = await WireConnection.open(options.settings, {
    replication: false,
    signal,
  });
  await connection.query(KEY_ORDER_SQL, { timeoutMs: options.timeoutMs, doing: 'Planning by key' });
  let after = options.progress === undefined ? undefined : parseProgress(options.progress, plan);
  for (;;) {
    const sql = plan.copySql({ after, limit: ROWS_PER_QUERY });
    let count = 0;
    let position: Promise<SourcePosition> | undefined;
    for await (const rows of copyRows(connection, {
      ...options,
      ...BATCH,
      sql,
      decoders: plan.decoders,
    })) {
      count += rows.length;
      position ??= options.head();
      const chunk = chunkOf(rows, plan, await position);
      after = parseProgress(chunk.progress, plan);
      if (!(await queue.push(chunk))) return;
    }
    if (count < ROWS_PER_QUERY) break;
  }
  await options.mark();
}

const BATCH = { maxRows: ROWS_PER_CHUNK, maxBytes: BYTES_PER_CHUNK };

/** Without statistics the planner may sort the whole table for each query; the index has the order. */
const KEY_ORDER_SQL =
  'SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; ' +
  'SET max_parallel_workers_per_gather = 0; SET jit = off';

function chunkOf(
  rows: CopiedRows,
  plan: SnapshotPlan,
  position: SourcePosition,
): SnapshotChunk & { readonly progress: string } {
  const progress = progressOf(plan, rows.at(-1) ?? []);
  if (plan.decoders.length > plan.columnCount) {
    for (const row of rows) row.length = plan.columnCount; // the key's text forms are not the row's
  }
  return { rows, progress, position };
}
