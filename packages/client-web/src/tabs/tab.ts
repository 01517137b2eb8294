import { broadcastLink } from './broadcast-link.ts';
import { fromPlainError, portChannel, type Channel, type CompiledSchema } from '@sluice/client';
import type { StorageKind } from '../storage/stored-database.ts';
import type { ControlMessage, FromWorker, Join, ToWorker } from './messages.ts';
import { isLedBy, tabNames, type TabNames } from './names.ts';
import { ALONE, tabStep, type TabEvent, type TabState } from './tab-step.ts';

export interface TabOptions {
  readonly database: string;
  readonly schema: () => CompiledSchema;
  readonly openedAt: number;
  readonly newId: () => string;
  readonly startWorker: () => Worker;
  readonly wasmUrl: string | undefined;
  readonly cacheBytes: number | undefined;
  /** A leader was found: the first, or the next. Resolves when it has greeted. */
  readonly onChannel: (channel: Channel) => Promise<void>;
  readonly onProblem: (problem: unknown) => void;
  /** This page's worker cannot lead. Another tab's may. */
  readonly onFailed: (error: unknown) => void;
}

const TICK_MS = 500;
const END_TIMEOUT_MS = 5_000;

/** A page among those that have one database open: keeps its worker, which waits to lead, and the channel to whoever leads. */
export class Tab {
  readonly #options: TabOptions;
  readonly #names: TabNames;
  readonly #id: string;
  readonly #workerId: string;
  readonly #control: BroadcastChannel;
  readonly #worker: Worker;
  readonly #closing = new AbortController();
  #ended: () => void = () => undefined;
  #state: TabState = ALONE;
  #channel: Channel | undefined;
  #storage: StorageKind = 'kept';
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(options: TabOptions) {
    this.#options = options;
    this.#names = tabNames(options.database);
    this.#id = options.newId();
    this.#workerId = options.newId();
    this.#control = new BroadcastChannel(this.#names.control);
    this.#worker = options.startWorker();
  }

  static async start(options: TabOptions): Promise<Tab> {
    const tab = new Tab(options);
    await tab.#start();
    return tab;
  }

  get storage(): StorageKind {
    return this.#storage;
  }

  /** Ends the worker, which closes the database if it leads, so that the next one finds the files free. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    clearInterval(this.#timer);
    const ended = new Promise<void>((resolve) => (this.#ended = resolve));
    this.#tell({ kind: 'end' });
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, END_TIMEOUT_MS))]);
    this.#worker.terminate();
    this.#channel?.close();
    this.#control.close();
    this.#closing.abort();
  }

  async #start(): Promise<void> {
    this.#control.addEventListener('message', ({ data }) => this.#hear(data as ControlMessage));
    this.#worker.addEventListener('message', ({ data }) => this.#hearWorker(data as FromWorker));
    this.#worker.addEventListener('error', (event) => this.#options.onFailed(event));
    const { database, openedAt, schema, wasmUrl, cacheBytes } = this.#options;
    this.#tell({
      kind: 'start',
      worker: this.#workerId,
      database,
      openedAt,
      schema: schema(),
      wasmUrl,
      cacheBytes,
    });
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
      navigator.locks
        .request(this.#names.tabLock(this.#id), () => {
          resolve();
          return closed;
        })
        .catch(reject);
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

  #hearWorker(message: FromWorker): void {
    if (message.kind === 'ended') this.#ended();
    else if (message.kind === 'problem') this.#options.onProblem(fromPlainError(message.error));
    else this.#options.onFailed(fromPlainError(message.error));
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
    channel.onClose(() => this.#happen({ kind: 'lost', leader }));
    this.#options.onChannel(channel).then(
      () => this.#happen({ kind: 'linked', leader }),
      () => {
        // Whoever takes the channel tells what it was refused by.
        channel.close();
      },
    );
  }

  #join(leader: string): Channel {
    const { openedAt, schema } = this.#options;
    const join: Join = { kind: 'join', leader, tab: this.#id, openedAt, schema: schema() };
    if (!isLedBy(leader, this.#workerId)) {
      const broadcast = new BroadcastChannel(this.#names.link(leader, this.#id));
      const channel = broadcastLink(broadcast, 'tab');
      this.#say(join);
      return channel;
    }
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage({ kind: 'join', join, port: port2 } satisfies ToWorker, [port2]);
    return portChannel(port1);
  }

  #say(message: ControlMessage): void {
    if (!this.#closing.signal.aborted) this.#control.postMessage(message);
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
