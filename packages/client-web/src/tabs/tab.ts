import { portChannel, type Channel } from '@sluice/client';
import type { StorageKind } from '../storage/stored-database.ts';
import { broadcastLink } from './broadcast-link.ts';
import type { ControlMessage, Join } from './messages.ts';
import { tabNames, workerOf, type TabNames } from './names.ts';
import { PageWorker, type PageWorkerOptions } from './page-worker.ts';
import { ALONE, tabStep, type TabEvent, type TabState } from './tab-step.ts';
import { whenLockIsFree } from './when-lock-is-free.ts';

export interface TabOptions extends PageWorkerOptions {
  /** A leader was found: the first, or the next. Resolves when it has greeted. */
  readonly onChannel: (channel: Channel) => Promise<void>;
}

const TICK_MS = 500;

/** A page among those that have one database open: keeps its worker, which waits to lead, and the channel to whoever leads. */
export class Tab {
  readonly #options: TabOptions;
  readonly #names: TabNames;
  readonly #id: string;
  readonly #control: BroadcastChannel;
  readonly #worker: PageWorker;
  readonly #closing = new AbortController();
  #state: TabState = ALONE;
  #channel: Channel | undefined;
  #storage: StorageKind = 'kept';
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(options: TabOptions) {
    this.#options = options;
    this.#names = tabNames(options.database);
    this.#id = options.newId();
    this.#control = new BroadcastChannel(this.#names.control);
    this.#worker = new PageWorker(options);
  }

  static async start(options: TabOptions): Promise<Tab> {
    const tab = new Tab(options);
    await tab.#start();
    return tab;
  }

  get storage(): StorageKind {
    return this.#storage;
  }

  /** May be called twice. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearInterval(this.#timer);
    await this.#worker.close();
    this.#channel?.close();
    this.#control.close();
  }

  async #start(): Promise<void> {
    this.#control.addEventListener('message', ({ data }) => this.#hear(data as ControlMessage));
    await this.#holdLock();
    this.#listenForHints();
    this.#timer = setInterval(() => this.#happen({ kind: 'tick' }), TICK_MS);
    this.#happen({ kind: 'tick' });
  }

  /** Until the tab closes, or dies: by it a leader knows. */
  #holdLock(): Promise<void> {
    const { signal } = this.#closing;
    const closed = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return new Promise((resolve, reject) => {
      const held = () => {
        resolve();
        return closed;
      };
      navigator.locks.request(this.#names.tabLock(this.#id), held).catch(reject);
    });
  }

  #listenForHints(): void {
    const { signal } = this.#closing;
    const hint = () => this.#say({ kind: 'hint' });
    const whenVisible = () => {
      if (document.visibilityState === 'visible') hint();
    };
    addEventListener('online', hint, { signal });
    addEventListener('pageshow', hint, { signal });
    document.addEventListener('visibilitychange', whenVisible, { signal });
  }

  #hear(message: ControlMessage): void {
    if (message.kind !== 'leads') return;
    this.#storage = message.storage;
    this.#happen({ kind: 'leads', leader: message.leader });
  }

  #happen(event: TabEvent): void {
    if (this.#closing.signal.aborted) return;
    const { state, action } = tabStep(this.#state, event);
    this.#state = state;
    if (action?.kind === 'ask') this.#say({ kind: 'who' });
    else if (action?.kind === 'link') this.#link(action.leader);
  }

  #link(leader: string): void {
    this.#channel?.close();
    const channel = this.#join(leader);
    this.#channel = channel;
    this.#closeWithLeader(leader, channel).catch(this.#options.onProblem);
    channel.onClose(() => this.#happen({ kind: 'lost', leader }));
    this.#options.onChannel(channel).then(
      () => this.#happen({ kind: 'linked', leader }),
      // Whoever takes the channel tells what it was refused by.
      () => channel.close(),
    );
  }

  #join(leader: string): Channel {
    const { openedAt, schema } = this.#options;
    const join: Join = { kind: 'join', leader, tab: this.#id, openedAt, schema: schema() };
    if (workerOf(leader) === this.#worker.id) return portChannel(this.#worker.join(join));
    const channel = broadcastLink(new BroadcastChannel(this.#names.link(leader, this.#id)), 'tab');
    this.#say(join);
    return channel;
  }

  /** A leader that dies says nothing. The next one does, if there is one. */
  async #closeWithLeader(leader: string, channel: Channel): Promise<void> {
    const closed = new AbortController();
    channel.onClose(() => closed.abort());
    const lock = this.#names.workerLock(workerOf(leader));
    if (await whenLockIsFree(lock, closed.signal)) channel.close();
  }

  #say(message: ControlMessage): void {
    if (!this.#closing.signal.aborted) this.#control.postMessage(message);
  }
}
