import { pause, withTimeout, type ClientClock } from '../clock.ts';
import { DatabaseClosedError } from '../errors.ts';
import type { SyncOptions } from '../facade/connector.ts';
import type { AppConnector, DatabaseAccess } from '../facade/database-access.ts';
import { ChannelClosed } from './peer.ts';

/** An app that asked to connect, and answers for its connector while its channel is open. */
export interface ConnectingApp {
  readonly connector: AppConnector;
  /** Resolves at once, unless its thread is frozen or busy. */
  readonly isAwake: () => Promise<void>;
  /** Some app wanted sync to end. */
  readonly disconnected: () => void;
}

/** How long whoever is asked may sleep, as pages in the background do, before another one is asked instead. */
const AWAKE_WITHIN_MS = 10_000;
const LOOK_AFTER_MS = 5_000;

/** Another app answers instead. */
class FellAsleep extends Error {}

/**
 * The connectors of all apps of one database, over its one sync session: who connected last is asked, and when its channel closes, or its page is
 * frozen while another one's is not, the one before it, in the same session. Without any, sync stops. What the frozen one was doing is cancelled,
 * which it learns when it wakes: an upload that it had begun is then one that is repeated.
 */
export class Connectors {
  readonly #access: Pick<DatabaseAccess, 'connect' | 'disconnect'>;
  readonly #clock: ClientClock;
  readonly #onProblem: (problem: unknown) => void;
  /** Who is asked is last. */
  #apps: readonly ConnectingApp[] = [];
  #running: { readonly options: string; readonly firstConnected: Promise<void> } | undefined;

  constructor(
    access: Pick<DatabaseAccess, 'connect' | 'disconnect'>,
    options: {
      readonly clock: ClientClock;
      readonly onProblem: (problem: unknown) => void;
    },
  ) {
    this.#access = access;
    this.#clock = options.clock;
    this.#onProblem = options.onProblem;
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
      uploadData: (signal) =>
        this.#ask((connector, asleep) => connector.uploadData(AbortSignal.any([signal, asleep]))),
      postCheckpointRequest:
        postCheckpointRequest &&
        ((clientId, requestId) =>
          this.#ask((connector) => {
            const { postCheckpointRequest: post = postCheckpointRequest } = connector;
            return post(clientId, requestId);
          })),
    };
  }

  /** Of whoever is asked, or the next one if its channel closes meanwhile, or it sleeps. */
  async #ask<T>(
    question: (connector: AppConnector, asleep: AbortSignal) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const app = this.#apps.at(-1);
      if (app === undefined) throw new DatabaseClosedError();
      const asleep = new AbortController();
      const answered = new AbortController();
      try {
        const answer = question(app.connector, asleep.signal);
        return await Promise.race([answer, this.#untilAsleep(app, answered.signal)]);
      } catch (error) {
        if (error instanceof ChannelClosed) this.leave(app);
        else if (error instanceof FellAsleep) asleep.abort(error);
        else throw error;
      } finally {
        answered.abort();
      }
    }
  }

  /** Rejects with FellAsleep, the app being the last to be asked then; never settles while it is awake, or nobody else is. */
  async #untilAsleep(app: ConnectingApp, answered: AbortSignal): Promise<never> {
    while (await pause(this.#clock, LOOK_AFTER_MS, answered)) {
      const other = this.#apps.findLast((each) => each !== app);
      if (other === undefined || (await this.#isAwake(app, answered))) continue;
      if (answered.aborted || !(await this.#isAwake(other, answered))) continue;
      this.#apps = [app, ...this.#apps.filter((each) => each !== app)];
      throw new FellAsleep('It does not answer');
    }
    return new Promise(() => undefined);
  }

  async #isAwake(app: ConnectingApp, signal: AbortSignal): Promise<boolean> {
    const onTimeout = () => new FellAsleep('It does not answer');
    try {
      await withTimeout(this.#clock, { ms: AWAKE_WITHIN_MS, signal, onTimeout }, app.isAwake);
      return true;
    } catch {
      return false; // it is gone, or sleeps
    }
  }
}
