import { SourceError, toAppError, type Clock, type Logger } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import type { QueryPool } from '../connect/query-pool.ts';
import type { WireConnection } from '../connect/wire-connection.ts';
import { readSlot } from '../slots/slots.ts';

export interface StreamKeeperOptions {
  readonly connection: WireConnection;
  readonly pool: QueryPool;
  readonly slot: string;
  readonly sendStatus: (wantsReply: boolean) => void;
  readonly mark: () => Promise<void>;
  readonly heartbeatIntervalMs: number;
  readonly streamTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const TICK_MS = 1000;
/** A server that decodes a huge transaction may say nothing for long; this is too long. */
const MAX_BUSY_TIMEOUTS = 10;

/**
 * Once a second beside the reading of a stream: says that this side is alive and how far it is, asks
 * the server for a sign of life when it is silent, writes a heartbeat when the source is idle, and
 * ends the connection when nothing comes any more.
 */
export class StreamKeeper {
  readonly #options: StreamKeeperOptions;
  readonly #timer: NodeJS.Timeout;
  #received: SourcePosition = '';
  #receivedBytes = -1;
  /** Ticks, not time: after the process was busy or asleep, the next tick must not see a timeout. */
  #silentTicks = 0;
  #busyTimeouts = 0;
  #progressAtMs: number;
  #marking = false;
  #asking = false;

  constructor(options: StreamKeeperOptions) {
    this.#options = options;
    this.#progressAtMs = options.clock.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    options.sendStatus(true);
  }

  /** To be called with how far the stream has come, between transactions. */
  noteProgress(received: SourcePosition): void {
    if (received === this.#received) return;
    this.#received = received;
    this.#progressAtMs = this.#options.clock.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const { connection, sendStatus, clock, heartbeatIntervalMs, streamTimeoutMs } = this.#options;
    if (connection.isClosed) {
      this.stop(); // the consumer has gone without ending the iteration
      return;
    }
    const heard = connection.receivedBytes !== this.#receivedBytes || connection.paused;
    this.#receivedBytes = connection.receivedBytes;
    this.#silentTicks = heard ? 0 : this.#silentTicks + 1;
    if (heard) this.#busyTimeouts = 0;
    sendStatus(true);
    if (this.#silentTicks * TICK_MS >= streamTimeoutMs) void this.#onSilence();
    if (clock.now() - this.#progressAtMs >= heartbeatIntervalMs) void this.#heartbeat();
  }

  async #heartbeat(): Promise<void> {
    if (this.#marking) return;
    this.#marking = true;
    this.#progressAtMs = this.#options.clock.now();
    try {
      await this.#options.mark();
    } catch (error) {
      const { code, message } = toAppError(error);
      this.#options.logger.warn('source_heartbeat_failed', { code, message });
    } finally {
      this.#marking = false;
    }
  }

  /**
   * The server process may be busy with a transaction of which nothing is published. As long as the
   * server answers queries and says that this very process reads the slot, it gets more time.
   */
  async #onSilence(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    this.#busyTimeouts += 1;
    const { connection, pool, slot, streamTimeoutMs, logger } = this.#options;
    const silentMs = this.#busyTimeouts * streamTimeoutMs;
    let cause: unknown;
    try {
      const state = await readSlot(pool, slot);
      if (state?.activePid === connection.backendPid && this.#busyTimeouts < MAX_BUSY_TIMEOUTS) {
        this.#silentTicks = 0;
        logger.warn('source_stream_silent', { slot, silentMs });
        return;
      }
    } catch (error) {
      cause = error;
    } finally {
      this.#asking = false;
    }
    connection.fail(
      new SourceError('SOURCE_TIMEOUT', `The change stream was silent for ${silentMs} ms`, {
        cause,
        details: { slot, silentMs },
      }),
    );
  }
}
