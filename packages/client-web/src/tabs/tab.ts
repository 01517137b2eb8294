import { ClientError, portChannel, type Channel } from '@sluice/client';
import type { StorageKind } from '../storage/stored-database.ts';
import { broadcastLink } from './broadcast-link.ts';
import type { ControlMessage, Join } from './messages.ts';
import { tabNames, workerOf, type TabNames } from './names.ts';
import { PageWorker, type PageWorkerOptions } from './page-worker.ts';
import { Silence } from './silence.ts';
import { ALONE, tabStep, type TabEvent, type TabState } from './tab-step.ts';
import { whenLockIsFree } from './when-lock-is-free.ts';

export interface TabOptions extends PageWorkerOptions {
  /** A leader was found: the first, or the next. Resolves when it has greeted. */
  readonly onChannel: (channel: Channel) => Promise<void>;
  /** Some worker has the files, and does not answer for so long that its channel was given up. */
  readonly onSilent: (error: ClientError) => void;
}

const TICK_MS = 500;
const ASK_AFTER_MS = 2_000;
/** The app is told then; the longest task that nobody need worry about. */
const TELL_AFTER_MS = 10_000;

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
  /** Of whoever leads. */
  #silence = new Silence(performance.now());
  #isTold = false;
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
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
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
    document.addEventListener('freeze', () => this.#worker.freeze(), { signal });
    const whenHidden = ({ persisted }: PageTransitionEvent) => {
      if (persisted) this.#worker.freeze();
    };
    addEventListener('pagehide', whenHidden, { signal });
  }

  #hear(message: ControlMessage): void {
    if (message.kind === 'who') this.#worker.watch();
    if (message.kind !== 'leads') return;
    this.#silence.heard(performance.now());
    this.#isTold = false;
    this.#storage = message.storage;
    this.#happen({ kind: 'leads', leader: message.leader });
  }

  #tick(): void {
    this.#happen({ kind: 'tick' });
    this.#worker.watch();
    const silentMs = this.#silence.look(performance.now());
    if (silentMs < ASK_AFTER_MS) return;
    if (this.#state.kind === 'linked') this.#say({ kind: 'who' });
    const { maxBusyMs, onProblem } = this.#options;
    if (silentMs < Math.min(TELL_AFTER_MS, maxBusyMs)) return;
    if (!this.#isTold) this.#whenSomebodyLeads(onProblem);
    this.#isTold = true;
    if (silentMs >= maxBusyMs) this.#giveUp();
  }

  /** Calls wait for the next leader then, or for this one to wake: it is asked who leads at every tick. */
  #giveUp(): void {
    this.#channel?.close();
    this.#whenSomebodyLeads(this.#options.onSilent);
  }

  /** Without a leader there is nothing to wait for but the start of this page's own. */
  #whenSomebodyLeads(tell: (error: ClientError) => void): void {
    navigator.locks
      .query()
      .then(({ held = [] }) => {
        if (held.some(({ name }) => name === this.#names.leaderLock)) tell(leaderSilent());
      })
      .catch(this.#options.onProblem);
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

/** What calls are refused by while whoever has the files does not answer. */
export function leaderSilent(): ClientError {
  return new ClientError(
    'LEADER_SILENT',
    'The tab that has the database open does not answer, as it is frozen or busy: bring it to the front, or close it; it goes on by itself when it wakes',
  );
}
