import { ClientError } from '../errors.ts';
import type { Channel } from './channel.ts';
import { fromPlainError, toPlainError, type PlainError } from './plain-error.ts';

/** What one side can be asked to do: by name, parameters and result, all plain data. */
export type Methods = Readonly<Record<string, (...parameters: never[]) => unknown>>;

export type Answer<M extends Methods, Name extends keyof M> = Awaited<ReturnType<M[Name]>>;

/** How one side does what it is asked to. `signal`, to be called at once, gives one that aborts when the caller wants it no more, or the channel closes. */
export type Handlers<M extends Methods> = {
  readonly [Name in keyof M]: (
    parameters: Parameters<M[Name]>,
    signal: () => AbortSignal,
  ) => Answer<M, Name> | Promise<Answer<M, Name>>;
};

/** Everything that crosses a channel. */
type Message =
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly method: string;
      readonly parameters: readonly unknown[];
    }
  /** Nobody waits for that call any more; it is answered nevertheless. */
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: PlainError }
  | { readonly kind: 'event'; readonly event: unknown };

/** The channel closed before the answer came. */
export class ChannelClosed extends ClientError {
  constructor() {
    super('CHANNEL_CLOSED', 'The channel was closed');
  }
}

export interface PeerOptions<Own extends Methods, Event> {
  readonly handlers: Handlers<Own>;
  readonly onEvent: (event: Event) => void;
  /** The channel closed, by whichever side. */
  readonly onClosed: () => void;
  /** What an event's listener threw, and what an answer could not be told. */
  readonly onProblem: (problem: unknown) => void;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One side of a channel: calls the other's methods, answers for its own, and tells of events. In the order of posting. */
export class Peer<Own extends Methods, Other extends Methods, OwnEvent, OtherEvent> {
  readonly #channel: Channel;
  readonly #options: PeerOptions<Own, OtherEvent>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #running = new Map<number, AbortController>();
  #calls = 0;
  #isClosed = false;

  constructor(channel: Channel, options: PeerOptions<Own, OtherEvent>) {
    this.#channel = channel;
    this.#options = options;
    channel.onClose(() => this.#closed());
    // Only a peer posts to a peer.
    channel.onMessage((message) => this.#receive(message as Message));
  }

  /** @throws ChannelClosed; what the other side threw */
  call<Name extends keyof Other & string>(
    method: Name,
    parameters: Parameters<Other[Name]>,
    signal?: AbortSignal,
  ): Promise<Answer<Other, Name>> {
    if (this.#isClosed) return Promise.reject(new ChannelClosed());
    const id = (this.#calls += 1);
    const cancel = () => this.#channel.post({ kind: 'cancel', id } satisfies Message);
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      try {
        this.#channel.post({ kind: 'call', id, method, parameters } satisfies Message);
      } catch (error) {
        this.#waiting.delete(id);
        reject(error);
      }
    });
    // The other side's handler has this type.
    if (signal === undefined) return answered as Promise<Answer<Other, Name>>;
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
    const settled = answered.finally(() => signal.removeEventListener('abort', cancel));
    return settled as Promise<Answer<Other, Name>>;
  }

  tell(event: OwnEvent): void {
    if (!this.#isClosed) this.#channel.post({ kind: 'event', event } satisfies Message);
  }

  /** May be called twice. */
  close(): void {
    this.#channel.close();
    this.#closed();
  }

  #receive(message: Message): void {
    if (this.#isClosed) return;
    switch (message.kind) {
      case 'call':
        this.#answer(message.id, message.method, message.parameters);
        return;
      case 'cancel':
        this.#running.get(message.id)?.abort();
        return;
      case 'answer':
        this.#take(message.id)?.resolve(message.value);
        return;
      case 'refusal':
        this.#take(message.id)?.reject(fromPlainError(message.error));
        return;
      case 'event':
        this.#hear(message.event as OtherEvent);
    }
  }

  #hear(event: OtherEvent): void {
    try {
      this.#options.onEvent(event);
    } catch (error) {
      this.#options.onProblem(error);
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** What is known at once is answered at once, so that no event comes in between. */
  #answer(id: number, method: string, parameters: readonly unknown[]): void {
    // Most calls have no use for one, and it costs more than the rest.
    const signal = () => {
      const running = new AbortController();
      this.#running.set(id, running);
      return running.signal;
    };
    try {
      const handle = this.#options.handlers[method];
      if (handle === undefined) throw new TypeError(`There is no method ${method}`);
      const value: unknown = handle(parameters as never, signal);
      if (!(value instanceof Promise)) {
        this.#post({ kind: 'answer', id, value });
        return;
      }
      void this.#answerLater(id, value);
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  async #answerLater(id: number, value: Promise<unknown>): Promise<void> {
    try {
      this.#post({ kind: 'answer', id, value: await value });
    } catch (error) {
      this.#refuse(id, error);
    } finally {
      this.#running.delete(id);
    }
  }

  #refuse(id: number, error: unknown): void {
    try {
      this.#post({ kind: 'refusal', id, error: toPlainError(error) });
    } catch (problem) {
      this.#options.onProblem(problem);
    }
  }

  #post(message: Message): void {
    if (!this.#isClosed) this.#channel.post(message);
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const reason = new ChannelClosed();
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
    for (const running of this.#running.values()) running.abort(reason);
    this.#options.onClosed();
  }
}
