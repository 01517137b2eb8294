import type { ClientClock } from '../clock.ts';
import type { SqliteConnection } from '../driver/contract.ts';
import { DatabaseClosedError } from '../errors.ts';
import { NO_CALL_CONTEXT } from '../facade/call-context.ts';
import { Readers } from '../facade/readers.ts';
import type { Ask } from './ask.ts';
import type { Channel } from './channel.ts';
import { ChannelClosed, Peer } from './peer.ts';
import type { ReadMethods } from './protocol.ts';
import { RemoteReads } from './remote-reads.ts';
import { ServedReads } from './served-reads.ts';

type NoMethods = Readonly<Record<never, never>>;

/**
 * Serves the reading of one app over connections of this thread, until the channel closes; beside the host, as
 * readers and the writer of one file do not wait for each other (WAL). `open` gives a new connection that only reads.
 */
export function serveReader(
  open: () => SqliteConnection,
  channel: Channel,
  options: { readonly clock: ClientClock; readonly onProblem: (problem: unknown) => void },
): void {
  const { clock, onProblem } = options;
  const readers = new Readers(open, { clock, context: NO_CALL_CONTEXT });
  const reads = new ServedReads({
    select: async (sql, parameters, options) => readers.run(sql, parameters, options),
    analyse: async (sql) => readers.analyse(sql),
    readTransaction: (body, timeoutMs) => readers.transaction(body, timeoutMs),
  });
  new Peer<ReadMethods, NoMethods, never, never>(channel, {
    handlers: reads.handlers,
    onEvent: () => undefined,
    onProblem,
    onClosed: () => {
      reads.close();
      readers.close();
    },
  });
}

/** A reader on another thread, as the app's thread sees it. Rejects with DatabaseClosedError once its channel is closed. */
export class ReaderLink extends RemoteReads {
  readonly #close: () => void;

  constructor(channel: Channel, onProblem: (problem: unknown) => void) {
    const peer = new Peer<NoMethods, ReadMethods, never, never>(channel, {
      handlers: {},
      onEvent: () => undefined,
      onProblem,
      onClosed: () => undefined,
    });
    const ask: Ask<ReadMethods> = (method, parameters, signal) =>
      peer.call(method, parameters, signal).catch(throwClosed);
    super(ask);
    this.#close = () => peer.close();
  }

  override close(): void {
    this.#close();
  }
}

function throwClosed(error: unknown): never {
  throw error instanceof ChannelClosed ? new DatabaseClosedError({ cause: error }) : error;
}
