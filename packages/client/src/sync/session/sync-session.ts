import type { ChangeSet } from '../../changes/change-set.ts';
import type { ClientClock } from '../../clock.ts';
import { untilFree, type WriterTurn } from '../../database/writer-turn.ts';
import { ClientError } from '../../errors.ts';
import type { Uploads } from '../../upload/upload-loop.ts';
import type { SyncAction, SyncEvent, TimerName } from '../machine/events.ts';
import { INITIAL_STATE, type SyncState } from '../machine/state.ts';
import { step } from '../machine/step.ts';
import type { StreamRow } from '../streams/subscription-store.ts';
import type { SyncStreams } from '../streams/sync-streams.ts';
import type { PublishScope, SyncStore } from '../sync-store.ts';
import type { SyncTransport } from '../transport/transport.ts';
import type { StatusTracker } from '../status/status-tracker.ts';
import type { Credentials, CredentialsCache } from './credentials.ts';
import { EventQueue } from './event-queue.ts';
import { followStream } from './follow-stream.ts';
import { LineGroup } from './line-group.ts';
import { RoundWaiters } from './round-waiters.ts';
import { SessionTimers } from './session-timers.ts';
import type { StatusReporter } from './status-reporter.ts';
import {
  checkRequestOptions,
  streamRequestBody,
  subscriptionsText,
  type RequestOptions,
} from './stream-request.ts';

export interface SyncSessionOptions {
  readonly store: SyncStore;
  readonly streams: SyncStreams;
  readonly status: StatusTracker;
  readonly reporter: StatusReporter;
  readonly credentials: CredentialsCache;
  readonly uploads: Uploads;
  readonly clientId: string;
  readonly turn: WriterTurn;
  readonly clock: ClientClock;
  /** In [0, 1). */
  readonly random: () => number;
  /** What each publish changed, for live queries. */
  readonly onPublished: (changes: ChangeSet) => void;
  /** What went wrong where no promise and no status tells it. */
  readonly onProblem: (error: unknown) => void;
}

export interface ConnectOptions extends RequestOptions {
  readonly transport: SyncTransport;
}

interface OpenStream {
  readonly number: number;
  readonly controller: AbortController;
  readonly requested: readonly StreamRow[];
  readonly subscriptions: string;
}

/**
 * Does what the state machine decides (../machine/README.md): one event at a time, and its actions in order. Everything that
 * touches the local database is synchronous, so an event is done when `#post` returns, unless the app has a transaction open
 * (`turn`): then it waits for its end. What waits for the world runs beside and posts events.
 */
export class SyncSession {
  readonly #options: SyncSessionOptions;
  readonly #group: LineGroup;
  readonly #timers: SessionTimers;
  readonly #running = new Set<Promise<void>>();
  readonly #rounds = new RoundWaiters();
  readonly #events: EventQueue<SyncEvent>;
  #state: SyncState = INITIAL_STATE;
  #connectOptions: ConnectOptions | undefined;
  #credentials: Credentials | undefined;
  #credentialsWait = new AbortController();
  #connecting = new AbortController();
  #streamCount = 0;
  /** The highest that a checkpoint of this session brought; -1 for none. */
  #appliedWriteCheckpoint = -1n;
  #stream: OpenStream | undefined;

  constructor(options: SyncSessionOptions) {
    this.#options = options;
    const { turn } = options;
    this.#events = new EventQueue({ turn, handle: (event) => this.#handle(event) });
    this.#timers = new SessionTimers(options.clock);
    this.#group = new LineGroup({
      clock: options.clock,
      ingest: (lines) => {
        options.store.ingest(lines);
        for (const { bucket, ops } of lines) options.reporter.downloaded(bucket, ops.length);
        options.reporter.progressed();
      },
      onDue: () => this.#run(() => this.#flushInTurn()),
    });
    options.streams.onChange = () => this.#subscriptionsTouched();
  }

  /**
   * Begins to sync, or anew with other options. `firstConnected` resolves when the status is first connected, or a
   * download error is known, or the session is stopped; it does not reject.
   *
   * @throws ClientError `PARAMETER`
   */
  connect(options: ConnectOptions): { readonly firstConnected: Promise<void> } {
    checkRequestOptions(options);
    this.#connectOptions = options;
    this.#options.status.update({ downloadError: undefined });
    this.#post({ kind: 'connect' });
    this.#options.uploads.start();
    this.#connecting = new AbortController();
    const settled = this.#options.status.waitFor(
      (status) => status.connected || status.downloadError !== undefined,
      this.#connecting.signal,
    );
    const ignore = (): void => undefined;
    return { firstConnected: settled.then(ignore, ignore) };
  }

  /** Stops, and resolves once nothing of the session runs any more. Keeps the data; may be called twice. */
  async disconnect(): Promise<void> {
    this.#post({ kind: 'disconnect' });
    this.#connecting.abort();
    await this.#quiet();
  }

  /** Neither downloads nor uploads until `resume`. */
  async pause(): Promise<void> {
    this.#post({ kind: 'pause' });
    await this.#quiet();
  }

  resume(): void {
    this.#post({ kind: 'resume' });
    if (this.#state.phase.kind !== 'stopped') this.#options.uploads.start();
  }

  /** The network is back, the page is visible, the app is in front: what waits tries at once. */
  hint(): void {
    this.#post({ kind: 'hint' });
    this.#options.uploads.retryNow();
  }

  /** Everything is uploaded, and the write checkpoint for it is noted. */
  uploadsAcknowledged(): void {
    this.#post({ kind: 'uploadsAcknowledged' });
  }

  /** An upload failed: whoever waits for one round only is told. */
  uploadFailed(error: ClientError): void {
    this.#rounds.end(error);
  }

  /**
   * Uploads what waits, downloads what there is, and stops again if the session was stopped before.
   *
   * @throws ClientError that says what failed first; the signal's reason
   */
  async syncOnce(options: ConnectOptions, signal: AbortSignal): Promise<void> {
    const wasStopped = this.#state.phase.kind === 'stopped';
    try {
      await this.#rounds.wait(signal, () => {
        if (wasStopped) this.connect(options);
        else this.#askAnew();
      });
    } finally {
      if (wasStopped) await this.disconnect();
    }
  }

  /**
   * Resolves when a full checkpoint is published that has this write checkpoint, or a later one.
   *
   * @throws ClientError that says what failed first; the signal's reason
   */
  async checkpointApplied(writeCheckpoint: bigint, signal: AbortSignal): Promise<void> {
    while (this.#appliedWriteCheckpoint < writeCheckpoint) {
      await this.#rounds.wait(signal, () => undefined);
    }
  }

  /** A new checkpoint line comes with a new stream. */
  #askAnew(): void {
    this.#post({ kind: 'hint' });
    this.#post({ kind: 'subscriptionsChanged' });
    this.#options.uploads.trigger();
  }

  async #quiet(): Promise<void> {
    this.#credentialsWait.abort();
    this.#rounds.end(new ClientError('STOPPED', 'The session was stopped'));
    const running = [...this.#running];
    const uploads = this.#options.uploads.stop();
    await this.#events.caughtUp();
    await uploads;
    // Nothing of what ends starts anything else; what a later `connect` starts is not waited for.
    await Promise.all(running);
  }

  #post(event: SyncEvent): void {
    this.#events.post(event);
  }

  async #flushInTurn(): Promise<void> {
    if (!this.#options.turn.isFree) await untilFree(this.#options.turn);
    this.#guarded(() => this.#group.flush());
  }

  #handle(event: SyncEvent): void {
    const before = this.#state;
    const { clock, random, reporter } = this.#options;
    const context = {
      nowMs: clock.elapsed(),
      random: random(),
      nextStream: this.#streamCount + 1,
    };
    const { state, actions } = step(before, event, context);
    this.#state = state;
    this.#guarded(() => {
      for (const action of actions) this.#do(action);
      reporter.stepped(before, state);
    });
    const { phase } = state;
    if (phase === before.phase) return;
    if (phase.kind === 'waiting') this.#rounds.end(phase.error ?? endedError());
    if (phase.kind === 'signedOut') {
      this.#rounds.end(new ClientError('SIGNED_OUT', 'Nobody is signed in'));
    }
  }

  /**
   * The local database refused. The stream fails with that: nothing is lost, as the next request asks from the
   * positions that are stored, and the rest of the step's actions belong to the stream.
   */
  #guarded(body: () => void): void {
    try {
      body();
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      const error = new ClientError('STORE', `The local database failed: ${text}`, { cause });
      const { phase } = this.#state;
      if (phase.kind === 'opening' || phase.kind === 'streaming') {
        const { stream } = phase;
        this.#events.postFirst({ kind: 'failed', stream, error, unauthorized: false });
      } else {
        this.#options.status.update({ downloadError: error });
        this.#options.onProblem(error);
      }
    }
  }

  #do(action: SyncAction): void {
    const { store, streams, reporter, credentials, uploads } = this.#options;
    switch (action.kind) {
      case 'fetchCredentials':
        return this.#fetchCredentials(action.fresh);
      case 'dropCredentials':
        return credentials.drop();
      case 'openStream':
        return this.#openStream(action.stream);
      case 'closeStream':
        return this.#closeStream();
      case 'ingest':
        return this.#group.add(action.line);
      case 'retain':
        this.#group.flush();
        return store.retain(action.buckets);
      case 'remove':
        this.#group.flush();
        return store.remove(action.buckets);
      case 'complete':
        return this.#complete(action.scope);
      case 'publish':
        return this.#publish(action.scope);
      case 'noteStreams':
        this.#group.flush();
        return reporter.noteStreams(action.streams, this.#stream?.requested ?? []);
      case 'renewSubscriptions':
        streams.renew();
        return this.#subscriptionsTouched();
      case 'upload':
        return uploads.connected();
      case 'startTimer':
        return this.#startTimer(action.timer, action.ms);
      case 'stopTimer':
        return this.#timers.stop(action.timer);
    }
  }

  #fetchCredentials(fresh: boolean): void {
    this.#credentialsWait.abort();
    this.#credentialsWait = new AbortController();
    const { signal } = this.#credentialsWait;
    this.#run(async () => {
      try {
        const fetched = await this.#options.credentials.get({ fresh, signal });
        if (signal.aborted) return;
        this.#credentials = fetched ?? this.#credentials;
        this.#post({ kind: 'credentials', outcome: fetched === undefined ? 'none' : 'fetched' });
      } catch (error) {
        if (!signal.aborted) this.#post({ kind: 'credentialsFailed', error: clientError(error) });
      }
    });
  }

  #openStream(number: number): void {
    this.#streamCount = number;
    const { store, streams, clientId } = this.#options;
    const connect = this.#connectOptions;
    const credentials = this.#credentials;
    if (connect === undefined || credentials === undefined) {
      throw new ClientError('BUG', 'A stream is opened without options or credentials');
    }
    this.#group.flush();
    const requested = streams.requested();
    const subscriptions = subscriptionsText(requested);
    const controller = new AbortController();
    this.#stream = { number, controller, requested, subscriptions };
    const body = streamRequestBody({
      clientId,
      positions: store.positions(),
      subscriptions: requested,
      options: connect,
    });
    const { signal } = controller;
    const opening = { credentials, body, signal };
    this.#run(() => followStream(number, connect.transport, { opening, events: this.#events }));
  }

  /** What has come counts, but closing does not depend on it. */
  #closeStream(): void {
    this.#stream?.controller.abort(new ClientError('CLOSED', 'The stream was closed'));
    this.#stream = undefined;
    try {
      this.#group.flush();
    } catch (error) {
      this.#options.onProblem(error);
    }
  }

  #complete(scope: PublishScope): void {
    this.#group.flush();
    const buckets = this.#options.store.validate(scope);
    if (buckets.length === 0) return this.#publish(scope);
    this.#post({ kind: 'completed', scope, outcome: { kind: 'mismatch', buckets } });
  }

  #publish(scope: PublishScope): void {
    this.#group.flush();
    const { store, reporter } = this.#options;
    const result = store.publish(scope);
    if (result.kind === 'closed') {
      if (scope.kind === 'full') reporter.held();
      return this.#post({ kind: 'completed', scope, outcome: { kind: 'closed' } });
    }
    reporter.published(scope);
    this.#post({ kind: 'completed', scope, outcome: { kind: 'published' } });
    this.#tell(result.changes);
    if (scope.kind !== 'full') return;
    const { writeCheckpoint = -1n } = scope;
    if (writeCheckpoint > this.#appliedWriteCheckpoint) {
      this.#appliedWriteCheckpoint = writeCheckpoint;
    }
    this.#rounds.end(undefined);
  }

  #tell(changes: ChangeSet): void {
    try {
      this.#options.onPublished(changes);
    } catch (error) {
      this.#options.onProblem(error);
    }
  }

  /** The request is another one now: it is sent anew. */
  #subscriptionsTouched(): void {
    this.#guarded(() => {
      this.#options.reporter.streamsChanged();
      const { phase } = this.#state;
      if (phase.kind !== 'opening' && phase.kind !== 'streaming') return;
      if (this.#stream?.number !== phase.stream) return;
      const now = subscriptionsText(this.#options.streams.requested());
      if (now !== this.#stream.subscriptions) this.#post({ kind: 'subscriptionsChanged' });
    });
  }

  #startTimer(timer: TimerName, ms: number): void {
    const elapsed = this.#timers.elapsed(timer, ms);
    this.#run(async () => {
      if (await elapsed) this.#post({ kind: 'timer', timer });
    });
  }

  #run(body: () => Promise<void>): void {
    const task = body()
      .catch((error: unknown) => this.#options.onProblem(error))
      .finally(() => this.#running.delete(task));
    this.#running.add(task);
  }
}

function endedError(): ClientError {
  return new ClientError('NETWORK', 'The service ended the stream');
}

function clientError(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new ClientError('CREDENTIALS', text, { cause: error });
}
