import { pause, withTimeout, type ClientClock } from '../clock.ts';
import { DatabaseClosedError, type ClientError } from '../errors.ts';
import type { Channel } from './channel.ts';
import { ChannelClosed, Peer, type Answer, type Handlers } from './peer.ts';
import {
  PROTOCOL_VERSION,
  type AppEvent,
  type AppMethods,
  type HostEvent,
  type HostMethods,
  type Introduction,
  type WritingCall,
} from './protocol.ts';

/** For an app whose host may be followed by another one. */
export interface HandOver {
  /** The channel closed: find the next host, and give its channel to `replaceChannel`. Calls wait meanwhile. */
  readonly onLost: () => void;
  /** The database is closed if there is none by then; 30,000 ms if left out. */
  readonly timeoutMs?: number;
  /** If given, the database is not closed then: calls are refused by this until there is a host again. */
  readonly refusal?: () => ClientError;
}

export interface HostLinkOptions {
  /** Names this app over all its channels; new for each. */
  readonly app: string;
  readonly handlers: Handlers<AppMethods>;
  readonly onEvent: (event: HostEvent) => void;
  readonly onProblem: (problem: unknown) => void;
  /** Nothing can be asked any more. */
  readonly onEnded: (reason: DatabaseClosedError) => void;
  readonly handOver: HandOver | undefined;
  readonly clock: ClientClock;
}

export type HostPeer = Peer<AppMethods, HostMethods, AppEvent, HostEvent>;

const HAND_OVER_TIMEOUT_MS = 30_000;
/** Longer than an upload that is being stopped may take. */
const CLOSE_TIMEOUT_MS = 40_000;

/** The host that will be there, for those who wait for it. */
class NextHost {
  readonly peer: Promise<HostPeer>;
  resolve: (peer: HostPeer) => void = () => undefined;
  reject: (reason: Error) => void = () => undefined;

  constructor() {
    this.peer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.peer.catch(() => undefined); // also if nobody waits
  }
}

/**
 * The way to the host of now. A call whose host goes away before it answers is asked again of the next one; those that write have a
 * number by which that one knows whether they were done.
 *
 * ```
 *   greet          channel closes            replace
 *   -----> linked ----------------> lost -------------> linked
 *             \                      |  timeoutMs
 *              \ no handOver, close  v
 *               `----------------> ended, or with a refusal: calls are refused, and `replace` links as before
 * ```
 */
export class HostLink {
  readonly #options: HostLinkOptions;
  /** Of writing calls that have no answer yet, oldest first. */
  readonly #unanswered = new Set<number>();
  #writes = 0;
  #next = new NextHost();
  #isLinked = false;
  #isRefusing = false;
  #peer: HostPeer | undefined;
  #ended: DatabaseClosedError | undefined;
  #isClosing = false;
  #found = new AbortController();

  constructor(options: HostLinkOptions) {
    this.#options = options;
  }

  /**
   * The first host, or the next one. `prepare` is called before anything else is asked of it.
   *
   * @throws what it refused by; ChannelClosed; DatabaseClosedError
   */
  async link(
    channel: Channel,
    prepare: (introduction: Introduction, peer: HostPeer) => void,
  ): Promise<void> {
    if (this.#ended !== undefined || this.#isClosing) {
      channel.close();
      throw this.#ended ?? new DatabaseClosedError();
    }
    const former = this.#peer;
    this.#peer = undefined;
    this.#unlink();
    former?.close();
    const { handlers, onEvent, onProblem, app } = this.#options;
    const peer: HostPeer = new Peer(channel, {
      handlers,
      onEvent,
      onProblem,
      onClosed: () => this.#lost(peer),
    });
    this.#peer = peer;
    const introduction = await peer.call('hello', [{ version: PROTOCOL_VERSION, app }]);
    // Another one may have been linked meanwhile.
    if (this.#peer !== peer) throw new ChannelClosed();
    this.#found.abort();
    prepare(introduction, peer);
    if (this.#isRefusing) this.#next = new NextHost();
    this.#isRefusing = false;
    this.#isLinked = true;
    this.#next.resolve(peer);
  }

  /** Something that may be done twice. `lastWords` are said while this closes, too. */
  call<Name extends keyof HostMethods>(
    method: Name,
    parameters: Parameters<HostMethods[Name]>,
    options: { readonly signal?: AbortSignal | undefined; readonly lastWords?: boolean } = {},
  ): Promise<Answer<HostMethods, Name>> {
    const { signal, lastWords } = options;
    return this.#ask((peer) => peer.call(method, parameters, signal), lastWords);
  }

  /** Something that must not. */
  async write<Name extends keyof HostMethods>(
    method: Name,
    parameters: (call: WritingCall | undefined) => Parameters<HostMethods[Name]>,
  ): Promise<Answer<HostMethods, Name>> {
    const { app, handOver } = this.#options;
    if (handOver === undefined) return this.call(method, parameters(undefined));
    const number = (this.#writes += 1);
    this.#unanswered.add(number);
    try {
      return await this.#ask((peer, again) => {
        const [answeredBelow = number] = this.#unanswered;
        return peer.call(method, parameters({ app, number, answeredBelow, again }));
      });
    } finally {
      this.#unanswered.delete(number);
    }
  }

  tell(event: AppEvent): void {
    this.#peer?.tell(event);
  }

  /** Tells the host, and waits for what that takes. May be called once. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const { clock } = this.#options;
    const never = new AbortController().signal;
    const onTimeout = () => new ChannelClosed();
    const timeout = { ms: CLOSE_TIMEOUT_MS, signal: never, onTimeout };
    const peer = this.#peer;
    try {
      if (peer !== undefined) await withTimeout(clock, timeout, () => peer.call('close', []));
    } catch (error) {
      if (!(error instanceof ChannelClosed)) throw error;
    } finally {
      this.#end(new DatabaseClosedError());
    }
  }

  /** Asks until a host has answered. */
  async #ask<T>(
    question: (peer: HostPeer, again: boolean) => Promise<T>,
    lastWords = false,
  ): Promise<T> {
    for (let again = false; ; again = true) {
      if (this.#isClosing && !lastWords) throw new DatabaseClosedError();
      const peer = await this.#next.peer;
      try {
        return await question(peer, again);
      } catch (error) {
        if (!(error instanceof ChannelClosed)) throw error;
      }
    }
  }

  #lost(peer: HostPeer): void {
    if (this.#peer !== peer) return;
    this.#peer = undefined;
    const { handOver } = this.#options;
    if (handOver === undefined || this.#isClosing) {
      this.#end(new DatabaseClosedError());
      return;
    }
    this.#unlink();
    this.#waitForNext(handOver).catch(this.#options.onProblem);
    handOver.onLost();
  }

  #unlink(): void {
    if (this.#isLinked) this.#next = new NextHost();
    this.#isLinked = false;
  }

  async #waitForNext({ timeoutMs = HAND_OVER_TIMEOUT_MS, refusal }: HandOver): Promise<void> {
    this.#found.abort();
    this.#found = new AbortController();
    const isLate = await pause(this.#options.clock, timeoutMs, this.#found.signal);
    if (!isLate || this.#isLinked || this.#ended !== undefined) return;
    if (refusal === undefined) return this.#end(new DatabaseClosedError());
    this.#isRefusing = true;
    this.#next.reject(refusal());
  }

  #end(reason: DatabaseClosedError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#isClosing = true;
    this.#found.abort();
    if (this.#isLinked || this.#isRefusing) this.#next = new NextHost();
    this.#isLinked = false;
    this.#next.reject(reason);
    this.#peer?.close();
    this.#peer = undefined;
    this.#options.onEnded(reason);
  }
}
