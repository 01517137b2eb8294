import type { ClientClock } from '../../clock.ts';
import { ClientError } from '../../errors.ts';
import type { StatusTracker } from '../status/status-tracker.ts';
import { canonicalParams, type StreamParams } from './canonical-params.ts';
import {
  keyText,
  type StreamKey,
  type StreamRow,
  type SubscriptionRequest,
  type SubscriptionStore,
  type Ttl,
} from './subscription-store.ts';

/** What an app asks for. */
export interface StreamSubscription {
  readonly name: string;
  readonly params?: StreamParams | null | undefined;
  /** Seconds that the data stays after the last handle went away; a day if left out. */
  readonly ttl?: Ttl | undefined;
  /** 0 to 3, instead of the stream's own. */
  readonly priority?: number | undefined;
}

/** Keeps a subscription alive until it is given back. */
export interface StreamHandle extends StreamKey {
  /** @throws the signal's reason */
  waitForFirstSync(signal?: AbortSignal): Promise<void>;
  /** Gives this handle back; may be called twice. */
  unsubscribe(): void;
}

export interface SyncStreamsOptions {
  readonly store: SubscriptionStore;
  readonly status: StatusTracker;
  readonly clock: Pick<ClientClock, 'now'>;
}

const DEFAULT_TTL_SECONDS = 86_400;

interface Live {
  readonly request: SubscriptionRequest;
  handles: number;
}

/** Subscriptions and the handles that keep them alive (spec/client.md 1.7, spec/protocol.md 6.2). */
export class SyncStreams {
  readonly #options: SyncStreamsOptions;
  readonly #live = new Map<string, Live>();
  #onChange: () => void = () => undefined;

  constructor(options: SyncStreamsOptions) {
    this.#options = options;
  }

  /** The session is told whenever the request may have changed. */
  set onChange(listener: () => void) {
    this.#onChange = listener;
  }

  /**
   * Subscribes to all of them in one transaction, and for a running session in one request.
   *
   * @throws ClientError `PARAMETER`, before anything is stored
   */
  subscribe(subscriptions: readonly StreamSubscription[]): readonly StreamHandle[] {
    const requests = subscriptions.map(checkedRequest);
    this.#options.store.subscribe(requests, this.#options.clock.now());
    for (const request of requests) this.#retain(request);
    this.#onChange();
    return requests.map((request) => this.#handle(request));
  }

  /** Forgets what the app asked for; its data goes with the next checkpoint. Handles stay, and keep nothing alive. */
  unsubscribeAll(name: string, params?: StreamParams | null): void {
    this.#options.store.forget({ name, params: canonicalParams(params) });
    this.#onChange();
  }

  /** Another process may have subscribed, or brought data. */
  changedElsewhere(): void {
    this.#onChange();
  }

  /** Live handles extend what they subscribe to; what nobody needs goes. */
  renew(): void {
    const nowMs = this.#options.clock.now();
    const live = this.#keys();
    this.#options.store.renew(live, nowMs);
    this.#options.store.expire(live, nowMs);
  }

  /** After everything was cleared: what live handles stand for is subscribed to anew. */
  restore(): void {
    const requests = [...this.#live.values()].map(({ request }) => request);
    this.#options.store.subscribe(requests, this.#options.clock.now());
    this.#onChange();
  }

  /** The rows that a request names, in its order. */
  requested(): readonly StreamRow[] {
    return this.#options.store.rows().filter(({ ttl }) => ttl !== undefined);
  }

  #keys(): readonly StreamKey[] {
    return [...this.#live.values()].map(({ request }) => request);
  }

  #retain(request: SubscriptionRequest): void {
    const handles = (this.#live.get(keyText(request))?.handles ?? 0) + 1;
    this.#live.set(keyText(request), { request, handles });
  }

  #handle({ name, params }: SubscriptionRequest): StreamHandle {
    let given = true;
    return {
      name,
      params,
      waitForFirstSync: async (signal) => {
        await this.#options.status.waitFor(
          (status) => status.forStream({ name, params })?.hasSynced === true,
          signal,
        );
      },
      unsubscribe: () => {
        if (given) this.#release({ name, params });
        given = false;
      },
    };
  }

  /** Its time to live begins when the last handle goes. */
  #release(key: StreamKey): void {
    const live = this.#live.get(keyText(key));
    if (live === undefined) return;
    live.handles -= 1;
    if (live.handles > 0) return;
    this.#options.store.renew([key], this.#options.clock.now());
    this.#live.delete(keyText(key));
    this.#onChange();
  }
}

function checkedRequest(subscription: StreamSubscription): SubscriptionRequest {
  const { name, params, ttl = DEFAULT_TTL_SECONDS, priority } = subscription;
  if (name === '') throw new ClientError('PARAMETER', 'A stream has a name');
  if (priority !== undefined && ![0, 1, 2, 3].includes(priority)) {
    throw new ClientError('PARAMETER', `A priority is 0, 1, 2 or 3, not ${priority}`);
  }
  const forever = ttl === 'forever' || ttl === Infinity;
  if (!forever && !(ttl >= 0)) {
    throw new ClientError('PARAMETER', `A ttl is a number of seconds or 'forever', not ${ttl}`);
  }
  return { name, params: canonicalParams(params), ttl: forever ? 'forever' : ttl, priority };
}
