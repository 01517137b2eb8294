import type { SyncEvent } from '../machine/events.ts';
import { toStreamFailure, type StreamOpening, type SyncTransport } from '../transport/transport.ts';
import type { EventQueue } from './event-queue.ts';

/**
 * Opens a stream and posts what comes of it, until it ends or its signal aborts. The next lines are asked for when those before are done
 * with: the service waits meanwhile. Does not reject.
 */
export async function followStream(
  stream: number,
  transport: SyncTransport,
  { opening, events }: { readonly opening: StreamOpening; readonly events: EventQueue<SyncEvent> },
): Promise<void> {
  const { signal } = opening;
  try {
    const batches = await transport.open(opening);
    if (!signal.aborted) events.post({ kind: 'opened', stream });
    for await (const lines of batches) {
      if (lines.length === 0) events.post({ kind: 'alive', stream });
      for (const line of lines) {
        if (signal.aborted) break;
        events.post({ kind: 'line', stream, line });
        if (events.isWaiting) await events.caughtUp();
      }
      if (signal.aborted) break;
    }
    events.post({ kind: 'ended', stream });
  } catch (thrown) {
    if (signal.aborted) return;
    const error = toStreamFailure(thrown);
    events.post({ kind: 'failed', stream, error, unauthorized: error.unauthorized });
  }
}
