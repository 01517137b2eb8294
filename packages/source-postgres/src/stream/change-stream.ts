import { SourceError, type AppError, type Clock, type Logger } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import type { ChangeEvent, StreamOptions } from '@sluice/source';
import { decodeServerMessage, FRAME, FRAME_HEADER_BYTES, frameEnd } from '../connect/frames.ts';
import type { QueryPool } from '../connect/query-pool.ts';
import { toSourceError } from '../connect/source-error.ts';
import { WireConnection } from '../connect/wire-connection.ts';
import type { RelationMessage } from '../pgoutput/message.ts';
import { PgOutputDecoder } from '../pgoutput/pg-output-decoder.ts';
import type { RelationPlan } from '../pgoutput/relation-plan.ts';
import { publicationExists } from '../tables/publication.ts';
import { BlockDecoder } from './block-decoder.ts';
import { StreamKeeper } from './stream-keeper.ts';
import { standbyStatus, startReplicationSql } from './replication-messages.ts';

export interface ChangeStreamOptions extends StreamOptions {
  readonly pool: QueryPool;
  readonly slot: string;
  readonly publication: string;
  readonly describe: (relation: RelationMessage) => Promise<RelationPlan>;
  /** What has been acknowledged by now. */
  readonly acknowledged: () => SourcePosition;
  /** Writes something harmless to the log. */
  readonly mark: () => Promise<void>;
  /** Called with the server's process that reads the slot. */
  readonly onStarted: (backendPid: number) => void;
  readonly heartbeatIntervalMs: number;
  readonly streamTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The server sends each change by itself, so a batch is put together from many reads. */
const EVENTS_PER_BATCH = 500;
/** In a transaction of more reads than this, reading in larger pieces is worth a millisecond. */
const BLOCKS_BEFORE_GATHERING = 32;

/**
 * Streams the changes of one slot over one connection. A batch ends where nothing more has arrived
 * behind a commit, so a lone commit is not held up; or with some hundred events, so a large
 * transaction never gathers.
 *
 * While nobody takes batches, the socket is paused once half a megabyte waits; status updates go on,
 * so the server does not take the connection for dead.
 */
export async function* streamChanges(
  options: ChangeStreamOptions,
): AsyncGenerator<readonly ChangeEvent[]> {
  const { pool, signal } = options;
  const connection = await WireConnection.open(pool.settings, { replication: true, signal });
  options.onStarted(connection.backendPid);
  const decoder = new BlockDecoder(new PgOutputDecoder(options), options.after);
  const sendStatus = (wantsReply: boolean) =>
    connection.sendCopyData(
      standbyStatus({
        received: decoder.received,
        flushed: options.acknowledged() || options.after,
        nowMs: options.clock.now(),
        wantsReply,
      }),
    );
  let keeper: StreamKeeper | undefined;
  try {
    connection.start(startReplicationSql(options));
    let block = await copyStart(connection, options.streamTimeoutMs);
    keeper = new StreamKeeper({ ...options, connection, sendStatus });
    connection.onFarewell = () => {
      sendStatus(false); // so that the last acknowledgement counts
      connection.sendCopyDone();
    };
    let bulkBlocks = 0;
    for (let events: ChangeEvent[] = []; ; block = await connection.readBlock()) {
      await decoder.decode(block, events);
      if (decoder.takeReplyWanted()) sendStatus(false);
      const isLull = !decoder.inTransaction && !connection.hasBlock;
      bulkBlocks = isLull ? 0 : bulkBlocks + 1;
      if (bulkBlocks > BLOCKS_BEFORE_GATHERING) connection.gather();
      if (!isLull && events.length < EVENTS_PER_BATCH) continue;
      if (!decoder.inTransaction) keeper.noteProgress(decoder.received);
      if (events.length > 0) yield events;
      events = [];
    }
  } catch (error) {
    signal.throwIfAborted();
    throw await refine(toSourceError(error, pool.settings, 'Streaming changes'), options);
  } finally {
    keeper?.stop();
    await connection.close();
  }
}

/**
 * The server looks for the publication as it was when a change was made. If it exists now, then the
 * changes made while it did not are missing for good.
 */
async function refine(error: AppError, options: ChangeStreamOptions): Promise<AppError> {
  if (error.code !== 'SOURCE_PUBLICATION_MISSING') return error;
  if (!(await publicationExists(options.pool, options.publication))) return error;
  return new SourceError(
    'SOURCE_SLOT_LOST',
    `Publication ${options.publication} did not exist when a change was made, so changes are missing`,
    { cause: error, details: { slot: options.slot } },
  );
}

/** Reads up to the server's consent; returns what came behind it. */
async function copyStart(connection: WireConnection, timeoutMs: number): Promise<Buffer> {
  for (;;) {
    const block = await connection.readBlock(timeoutMs);
    for (let at = 0; at < block.length;) {
      const end = frameEnd(block, at);
      if (block[at] === FRAME.copyBothResponse) return block.subarray(end);
      if (block[at] === FRAME.errorResponse) {
        throw decodeServerMessage(block, at + FRAME_HEADER_BYTES, end);
      }
      if (block[at] === FRAME.readyForQuery) {
        throw new SourceError('SOURCE_PROTOCOL', 'The server did not start the change stream');
      }
      at = end;
    }
  }
}
