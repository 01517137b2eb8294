import { DatabaseClosedError } from '../errors.ts';
import type { SyncOptions } from '../facade/connector.ts';
import type { AppConnector, DatabaseAccess } from '../facade/database-access.ts';
import { ChannelClosed } from './peer.ts';

/** An app that asked to connect, and answers for its connector while its channel is open. */
export interface ConnectingApp {
  readonly connector: AppConnector;
  /** Some app wanted sync to end. */
  readonly disconnected: () => void;
}

/**
 * The connectors of all apps of one database, over its one sync session: who connected last is asked, and when its channel closes
 * the one before it, in the same session. Without any, sync stops.
 */
export class Connectors {
  readonly #access: Pick<DatabaseAccess, 'connect' | 'disconnect'>;
  readonly #onProblem: (problem: unknown) => void;
  /** Who is asked is last. */
  #apps: readonly ConnectingApp[] = [];
  #running: { readonly options: string; readonly firstConnected: Promise<void> } | undefined;

  constructor(
    access: Pick<DatabaseAccess, 'connect' | 'disconnect'>,
    onProblem: (problem: unknown) => void,
  ) {
    this.#access = access;
    this.#onProblem = onProblem;
  }

  /** An app that was not connected joins a session with the same options; everything else begins a new one. */
  async connect(app: ConnectingApp, options: SyncOptions): Promise<void> {
    const text = JSON.stringify(options);
    const isNew = !this.#apps.includes(app);
    const former = this.#apps;
    this.#apps = [...this.#apps.filter((each) => each !== app), app];
    if (isNew && this.#running?.options === text) return this.#running.firstConnected;
    const firstConnected = this.#access.connect(this.#connector(app), options);
    const running = { options: text, firstConnected };
    const before = this.#running;
    this.#running = running;
    try {
      await firstConnected;
    } catch (error) {
      // Refused before anything was begun: what ran before goes on.
      if (this.#running === running) {
        this.#running = before;
        this.#apps = former.filter((each) => this.#apps.includes(each));
      }
      throw error;
    }
  }

  async disconnect(): Promise<void> {
    this.forget();
    await this.#access.disconnect();
  }

  /** For whoever disconnects in another way. */
  forget(): void {
    for (const app of this.#apps) app.disconnected();
    this.#apps = [];
    this.#running = undefined;
  }

  /** Its channel closed. */
  leave(app: ConnectingApp): void {
    if (!this.#apps.includes(app)) return;
    this.#apps = this.#apps.filter((each) => each !== app);
    if (this.#apps.length > 0) return;
    this.disconnect().catch((error: unknown) => {
      if (!(error instanceof DatabaseClosedError)) this.#onProblem(error);
    });
  }

  #connector({ connector: { postCheckpointRequest } }: ConnectingApp): AppConnector {
    return {
      fetchCredentials: () => this.#ask((connector) => connector.fetchCredentials()),
      uploadData: (signal) => this.#ask((connector) => connector.uploadData(signal)),
      postCheckpointRequest:
        postCheckpointRequest &&
        ((clientId, requestId) =>
          this.#ask((connector) => {
            const { postCheckpointRequest: post = postCheckpointRequest } = connector;
            return post(clientId, requestId);
          })),
    };
  }

  /** Of whoever is asked, or the next one if its channel closes meanwhile. */
  async #ask<T>(question: (connector: AppConnector) => Promise<T>): Promise<T> {
    for (;;) {
      const app = this.#apps.at(-1);
      if (app === undefined) throw new DatabaseClosedError();
      try {
        return await question(app.connector);
      } catch (error) {
        if (!(error instanceof ChannelClosed)) throw error;
        this.leave(app);
      }
    }
  }
}
