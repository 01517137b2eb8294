import { orAborted } from '../clock.ts';
import type { StreamParams } from '../sync/streams/canonical-params.ts';
import type {
  StreamHandle,
  StreamSubscription,
  SyncStreams,
} from '../sync/streams/sync-streams.ts';
import type { Turns } from './turns.ts';

/** A stream with its parameters; does nothing by itself (spec/client.md 1.7). */
export interface SyncStream {
  readonly name: string;
  readonly params: StreamParams | null;
  /** Stored when it resolves. A running session asks for it at once. */
  subscribe(
    options?: Pick<StreamSubscription, 'ttl' | 'priority'>,
  ): Promise<SyncStreamSubscription>;
  /** Forgets what the app asked for; its data goes with the next checkpoint. */
  unsubscribeAll(): Promise<void>;
}

/** Keeps the stream's data until it is given back. */
export interface SyncStreamSubscription {
  readonly name: string;
  /** Canonical JSON. */
  readonly params: string;
  /** @throws the signal's reason; DatabaseClosedError */
  waitForFirstSync(signal?: AbortSignal): Promise<void>;
  /** Gives this one back; may be called twice. */
  unsubscribe(): Promise<void>;
}

export interface SyncStreamParts {
  readonly streams: SyncStreams;
  readonly turns: Turns;
  /** Aborts when the database closes. */
  readonly closing: AbortSignal;
}

export function syncStream(
  parts: SyncStreamParts,
  name: string,
  params: StreamParams | null,
): SyncStream {
  const { streams, turns } = parts;
  return {
    name,
    params,
    subscribe: async (options) => {
      const [handle] = await turns.run(() => streams.subscribe([{ name, params, ...options }]));
      if (handle === undefined) throw new Error('A subscription has a handle');
      return subscription(parts, handle);
    },
    unsubscribeAll: () => turns.run(() => streams.unsubscribeAll(name, params)),
  };
}

function subscription(
  { turns, closing }: SyncStreamParts,
  handle: StreamHandle,
): SyncStreamSubscription {
  const { name, params } = handle;
  return {
    name,
    params,
    waitForFirstSync: (signal) => orAborted(handle.waitForFirstSync(signal), closing),
    unsubscribe: () => turns.run(() => handle.unsubscribe()),
  };
}
