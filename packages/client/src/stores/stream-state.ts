import { ClientError, DatabaseClosedError } from '../errors.ts';
import type { SluiceDatabase } from '../facade/sluice-database.ts';
import type { SyncStreamSubscription } from '../facade/sync-stream.ts';
import type { StreamStatus } from '../sync/status/sync-status.ts';
import { canonicalParams } from '../sync/streams/canonical-params.ts';
import type { StreamRequest } from './query-options.ts';
import { sameValue } from './same-value.ts';
import type { Store } from './store.ts';

export interface StreamState {
  /** Null until the subscription is stored. */
  readonly status: StreamStatus | null;
  readonly hasSynced: boolean;
  /** Why it brings nothing (ClientError `STREAM`, what the service says), or cannot be subscribed to; null for neither. */
  readonly error: unknown;
}

export const UNKNOWN_STREAM: StreamState = { status: null, hasSynced: false, error: null };

/** Subscribes to a stream, and tells its state. Returns how to give the subscription back. */
export function followStream(
  database: SluiceDatabase,
  request: StreamRequest,
  { set, onProblem }: FollowStreamOptions,
): () => void {
  const { name, parameters = null, ttl, priority } = request;
  let failure: unknown = null;
  const tell = (): void => set(currentState(database, request, failure));
  const subscribed = database.syncStream(name, parameters).subscribe({ ttl, priority });
  subscribed.then(tell, (error: unknown) => {
    failure = error;
    tell();
  });
  const stopListening = database.registerListener({ statusChanged: tell });
  tell();
  return () => {
    stopListening();
    void giveBack(subscribed, onProblem);
  };
}

export interface FollowStreamOptions {
  readonly set: (state: StreamState) => void;
  /** Of giving back. */
  readonly onProblem: (problem: unknown) => void;
}

/** Errors are new objects for the same text whenever the state is told. */
export function sameStreamState(a: StreamState, b: StreamState): boolean {
  return (
    sameValue(a.status, b.status) &&
    a.hasSynced === b.hasSynced &&
    (a.error === b.error || (a.status !== null && a.error !== null && b.error !== null))
  );
}

function currentState(
  database: SluiceDatabase,
  { name, parameters }: StreamRequest,
  failure: unknown,
): StreamState {
  if (failure !== null) return { ...UNKNOWN_STREAM, error: failure };
  const status = statusOf(database, name, parameters);
  if (status === undefined) return UNKNOWN_STREAM;
  const text = status.error;
  const error = text === undefined ? null : new ClientError('STREAM', `${name}: ${text}`);
  return { status, hasSynced: status.hasSynced, error };
}

function statusOf(
  database: SluiceDatabase,
  name: string,
  parameters: StreamRequest['parameters'],
): StreamStatus | undefined {
  try {
    return database.currentStatus.forStream({ name, params: canonicalParams(parameters) });
  } catch {
    // Parameters that JSON does not have: `subscribe` rejects with that.
    return undefined;
  }
}

async function giveBack(
  subscribed: Promise<SyncStreamSubscription>,
  onProblem: (problem: unknown) => void,
): Promise<void> {
  const [outcome] = await Promise.allSettled([subscribed]);
  if (outcome.status === 'rejected') return; // Told in the state.
  try {
    await outcome.value.unsubscribe();
  } catch (error) {
    if (!(error instanceof DatabaseClosedError)) onProblem(error);
  }
}

/** Watches streams, and begins once those that are waited for have synced. Returns how to stop all of it. */
export function afterStreams(
  streams: readonly { readonly state: Store<StreamState>; readonly isAwaited: boolean }[],
  { begin, failed, waiting }: AfterStreams,
): () => void {
  let end: (() => void) | undefined;
  const awaited = streams.filter(({ isAwaited }) => isAwaited);
  const check = (): void => {
    if (end !== undefined) return;
    const missing = awaited.map(({ state }) => state.getSnapshot()).filter((s) => !s.hasSynced);
    const failure = missing.find(({ error }) => error !== null);
    if (missing.length === 0) end = begin();
    else if (failure === undefined) waiting();
    else failed(failure.error);
  };
  const stops = streams.map(({ state }) => state.subscribe(check));
  check();
  return () => {
    for (const stop of stops) stop();
    end?.();
  };
}

export interface AfterStreams {
  readonly begin: () => () => void;
  readonly failed: (error: unknown) => void;
  readonly waiting: () => void;
}
