import type { ChangeSet } from '../changes/change-set.ts';
import type { WriterTurn } from '../database/writer-turn.ts';
import type { SqliteConnection } from '../driver/contract.ts';
import { ClientError } from '../errors.ts';
import type { CompiledSchema } from '../schema/compiled-schema.ts';
import {
  createSession,
  type CreatedSession,
  type SyncConnector,
} from '../sync/session/create-session.ts';
import { checkRequestOptions } from '../sync/session/stream-request.ts';
import { HttpTransport } from '../sync/transport/http-transport.ts';
import type { SyncTransport } from '../sync/transport/transport.ts';
import { WebSocketTransport } from '../sync/transport/websocket-transport.ts';
import type { SyncOptions } from './connector.ts';
import { SyncLead } from './file-sharing.ts';
import type { Platform } from './platform.ts';

export interface SyncControlOptions {
  readonly platform: Platform;
  readonly connection: SqliteConnection;
  readonly turn: WriterTurn;
  readonly schema: () => CompiledSchema;
  readonly onPublished: (changes: ChangeSet) => void;
}

interface Wish {
  readonly connector: SyncConnector;
  readonly options: SyncOptions;
}

const NOBODY: SyncConnector = {
  fetchCredentials: () => Promise.resolve(null),
  uploadData: () => Promise.resolve(),
};

/**
 * One session after the other over the same database, each with its own connector, options and schema; status and streams stay the same.
 * Calls take effect one at a time, and of several `connect` only the last one does.
 */
export class SyncControl {
  readonly #options: SyncControlOptions;
  readonly #lead: SyncLead;
  #created: CreatedSession;
  /** What the app wants last; undefined: to be disconnected. */
  #wish: Wish | undefined;
  /** Whose session runs now. */
  #running: Wish | undefined;
  #isPaused = false;
  #last: Promise<void> = Promise.resolve();

  constructor(options: SyncControlOptions) {
    this.#options = options;
    this.#lead = new SyncLead(options.platform.sharing);
    this.#created = this.#newSession();
  }

  get created(): CreatedSession {
    return this.#created;
  }

  /**
   * Resolves when the status is first connected, or a download error is known, or another call came in between; at once where another
   * process syncs this file: this one does when that one ends.
   *
   * @throws ClientError `PARAMETER`
   */
  async connect(connector: SyncConnector, options: SyncOptions): Promise<void> {
    checkRequestOptions(options);
    const wish = { connector, options };
    this.#transportOf(options);
    this.#wish = wish;
    let firstConnected: Promise<void> | undefined;
    await this.#alone(async () => {
      if (this.#wish !== wish) return;
      await this.#created.session.disconnect();
      if (this.#wish === wish) firstConnected = this.#begin();
    });
    await firstConnected;
  }

  /** Resolves once nothing of the session runs any more. */
  async disconnect(): Promise<void> {
    this.#wish = undefined;
    await this.#alone(async () => {
      this.#running = undefined;
      await this.#created.session.disconnect();
      this.#lead.release();
    });
  }

  /**
   * One round (spec/client.md 7.2): by the running session, or by one of its own that ends with it.
   *
   * @throws ClientError that says what failed first, `PARAMETER`, `PAUSED`, `BUSY` while another process syncs this file; the signal's reason
   */
  async syncOnce(
    connector: SyncConnector | undefined,
    options: SyncOptions,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#isPaused) throw new ClientError('PAUSED', 'Sync is paused: call `resume` before');
    if (this.#wish !== undefined) return this.#round(this.#wish, signal);
    if (connector === undefined) {
      throw new ClientError('PARAMETER', 'While sync is not connected, it needs a connector');
    }
    checkRequestOptions(options);
    this.#transportOf(options);
    const wish = { connector, options };
    this.#wish = wish;
    try {
      await this.#round(wish, signal);
    } finally {
      if (this.#wish === wish) await this.disconnect();
    }
  }

  async #round(wish: Wish, signal: AbortSignal): Promise<void> {
    let created = this.#created;
    await this.#alone(async () => {
      created = this.#created;
      if (this.#wish !== wish || this.#running === wish) return;
      if (!this.#lead.take()) {
        throw new ClientError(
          'BUSY',
          'Another process syncs this database: it is up to date by that one',
        );
      }
      await created.session.disconnect();
      created = this.#created = this.#newSession();
    });
    const transport = this.#transportOf(wish.options);
    await created.session.syncOnce({ ...wish.options, transport }, signal);
  }

  /** Neither downloads nor uploads until `resume`, whoever connects. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    this.#created.status.update({ paused: true });
    await this.#alone(async () => {
      this.#running = undefined;
      await this.#created.session.disconnect();
    });
  }

  /** Goes on as before. */
  async resume(): Promise<void> {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#created.status.update({ paused: false });
    await this.#alone(async () => {
      if (!this.#isPaused) void this.#begin();
    });
  }

  /**
   * @throws ClientError `OFFLINE` without a connection, `SIGNED_OUT`; what the call of the service fails by
   */
  async requestCheckpoint(signal: AbortSignal): Promise<bigint> {
    if (!this.#created.status.current.connected) {
      throw new ClientError('OFFLINE', 'A checkpoint can be requested while sync is connected');
    }
    return this.#created.requestCheckpoint(signal);
  }

  /** @throws ClientError that says what failed first, `STOPPED`; the signal's reason */
  async checkpointApplied(checkpoint: bigint, signal: AbortSignal): Promise<void> {
    await this.#last;
    await this.#created.session.checkpointApplied(checkpoint, signal);
  }

  /** Runs `body` while there is no session, and goes on as before, under the schema of then. */
  async whileStopped(body: () => Promise<void>): Promise<void> {
    await this.#alone(async () => {
      await this.#created.session.disconnect();
      try {
        await body();
      } finally {
        void this.#begin();
      }
    });
  }

  /** Looks at what is stored anew; handles of streams subscribe again. */
  restore(): void {
    this.#created.streams.restore();
    this.#created.status.update({ downloadError: undefined, uploadError: undefined });
  }

  /** Other processes wrote: subscriptions, the status, or what waits for upload may be others. */
  changedElsewhere(): void {
    this.#created.streams.changedElsewhere();
    this.#created.wroteLocally();
  }

  /** Does not reject. */
  #begin(): Promise<void> {
    this.#created = this.#newSession();
    const wish = this.#wish;
    this.#running = undefined;
    if (wish === undefined || this.#isPaused) return Promise.resolve();
    if (this.#lead.take()) return this.#start(wish);
    this.#lead.wait(() => {
      if (this.#wish !== wish || !this.#lead.take()) return;
      this.#lead.stopWaiting();
      const { onProblem } = this.#options.platform;
      this.#alone(() => this.#takeOver(wish)).catch(onProblem);
    });
    return Promise.resolve();
  }

  /** From where the process before got to. */
  async #takeOver(wish: Wish): Promise<void> {
    if (this.#wish !== wish || this.#isPaused) return;
    this.#created = this.#newSession();
    void this.#start(wish);
  }

  /** Does not reject. */
  #start(wish: Wish): Promise<void> {
    this.#running = wish;
    const { options } = wish;
    const transport = this.#transportOf(options);
    return this.#created.session.connect({ ...options, transport }).firstConnected;
  }

  async #alone(body: () => Promise<void>): Promise<void> {
    const done = this.#last.then(body);
    this.#last = done.catch(() => undefined); // whoever called is told
    await done;
  }

  #newSession(): CreatedSession {
    const { platform, connection, turn, schema, onPublished } = this.#options;
    const { connector, options } = this.#wish ?? { connector: NOBODY, options: {} };
    return createSession({
      connection,
      schema: schema(),
      connector,
      lock: platform.uploadLock,
      turn,
      fetch: platform.fetch,
      clock: platform.clock,
      random: platform.random,
      newId: platform.newId,
      userAgent: platform.userAgent,
      uploadThrottleMs: options.uploadThrottleMs,
      checkpointMode: options.checkpointMode,
      onPublished,
      onProblem: platform.onProblem,
      former: this.#created,
    });
  }

  #transportOf({ connectionMethod = 'http' }: SyncOptions): SyncTransport {
    const { clock, userAgent, fetch, openSocket } = this.#options.platform;
    if (connectionMethod === 'http') return new HttpTransport({ fetch, clock, userAgent });
    if (openSocket !== undefined) return new WebSocketTransport({ openSocket, clock, userAgent });
    throw new ClientError('PARAMETER', 'There is no WebSocket here: give one, or connect by http');
  }
}
