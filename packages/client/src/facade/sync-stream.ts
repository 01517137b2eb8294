import { orAborted } from '../clock.ts';
import type { SyncStatus } from '../sync/status/sync-status.ts';
import type { StreamParams } from '../sync/streams/canonical-params.ts';
import type { StreamSubscription } from '../sync/streams/sync-streams.ts';
import type { DatabaseAccess, HeldStream } from './database-access.ts';

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

export type StreamAccess = Pick<
  DatabaseAccess,
  'status' | 'closing' | 'subscribe' | 'unsubscribeAll'
>;

export function syncStream(
  access: StreamAccess,
  name: string,
  params: StreamParams | null,
): SyncStream {
  return {
    name,
    params,
    subscribe: async (options) =>
      subscription(access, await access.subscribe({ name, params, ...options })),
    unsubscribeAll: () => access.unsubscribeAll(name, params),
  };
}

function subscription(access: StreamAccess, held: HeldStream): SyncStreamSubscription {
  const { name, params } = held;
  return {
    name,
    params,
    waitForFirstSync: async (signal) => {
      const isThere = (status: SyncStatus) =>
        status.forStream({ name, params })?.hasSynced === true;
      await orAborted(access.status.waitFor(isThere, signal), access.closing);
    },
    unsubscribe: () => held.release(),
  };
}
