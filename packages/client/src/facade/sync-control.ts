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
      await this.#created.session.disconnect();
      this.#lead.release();
    });
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
    if (wish === undefined) return Promise.resolve();
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
    if (this.#wish !== wish) return;
    this.#created = this.#newSession();
    void this.#start(wish);
  }

  /** Does not reject. */
  #start({ options }: Wish): Promise<void> {
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
