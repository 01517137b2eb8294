import type { CheckpointBucket, StreamDescription } from '@sluice/protocol';
import { ClientError } from '../../errors.ts';
import type { Phase, SyncState } from '../machine/state.ts';
import type { PublishScope } from '../sync-store.ts';
import { ProgressCounter } from '../status/progress.ts';
import type { PersistedStatus, StatusStore } from '../status/status-store.ts';
import type { StatusTracker } from '../status/status-tracker.ts';
import type { StreamFacts } from '../status/sync-status.ts';
import { CheckpointStreams } from '../streams/checkpoint-streams.ts';
import type { StreamRow, SubscriptionStore } from '../streams/subscription-store.ts';

export interface StatusReporterOptions {
  readonly status: StatusTracker;
  readonly store: StatusStore;
  readonly subscriptions: SubscriptionStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Turns what happens in a session into its status. */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  #buckets: readonly CheckpointBucket[] = [];
  #streams: CheckpointStreams | undefined;
  #progress: ProgressCounter | undefined;
  /** Names of the buckets that the checkpoint has for each row of `sluice_stream`. */
  #bucketsOfRow: ReadonlyMap<number, readonly string[]> = new Map();
  #persisted: PersistedStatus = { syncedAt: [], streams: [] };

  constructor(options: StatusReporterOptions) {
    this.#options = options;
  }

  /** After a step of the machine. */
  stepped(before: SyncState, state: SyncState): void {
    if (looksDifferent(before.phase, state.phase)) this.#phaseChanged(state);
    if (state.checkpoint === before.checkpoint) return;
    this.#buckets = [...(state.checkpoint?.buckets.values() ?? [])];
    if (state.checkpoint === undefined) this.#progress = undefined;
    else this.#startCounting();
    this.streamsChanged();
  }

  /** A checkpoint line came. */
  noteStreams(streams: readonly StreamDescription[], requested: readonly StreamRow[]): void {
    const { subscriptions } = this.#options;
    subscriptions.noteStreams(streams, new Set(requested.map(({ id }) => id)));
    const rows = subscriptions.rows();
    this.#streams = new CheckpointStreams({ requested, streams, rows });
  }

  /** Lines of one bucket are stored. */
  downloaded(bucket: string, operations: number): void {
    this.#progress?.add(bucket, operations);
  }

  /** Figures of the download as they are now. */
  progressed(): void {
    if (this.#progress !== undefined) this.#report({});
  }

  published(scope: PublishScope): void {
    const { subscriptions, now } = this.#options;
    subscriptions.markSynced(this.#completeStreams(scope), now());
    if (scope.kind === 'full') this.#progress = undefined;
    this.streamsChanged({ downloadError: undefined });
  }

  /** A full checkpoint is there, and waits for local writes to be acknowledged. */
  held(): void {
    this.#progress = undefined;
    this.streamsChanged();
  }

  failed(error: ClientError): void {
    this.#options.status.update({ downloadError: error });
  }

  /** Reads what is stored of streams and priorities anew. */
  streamsChanged(more: { readonly downloadError?: undefined } = {}): void {
    this.#persisted = this.#options.store.load();
    this.#report(more);
  }

  #report(more: { readonly downloadError?: undefined }): void {
    const { syncedAt, streams } = this.#persisted;
    const errors = this.#streams?.errors();
    const progress = this.#progress;
    const facts = streams.map((row): StreamFacts => {
      const buckets = this.#bucketsOfRow.get(row.id) ?? [];
      return { ...row, error: errors?.get(row.id), progress: progress?.figures(buckets) };
    });
    this.#options.status.update({
      syncedAt,
      streams: facts,
      progress: progress?.byPriority(),
      ...more,
    });
  }

  #phaseChanged({ phase }: SyncState): void {
    const trying = phase.kind === 'authorizing' || phase.kind === 'opening';
    const connected = phase.kind === 'streaming' || (trying && phase.hidden);
    this.#options.status.update({ connected, connecting: trying && !connected });
    if (phase.kind === 'waiting' && phase.error !== undefined) this.failed(phase.error);
    if (phase.kind === 'signedOut') {
      this.failed(new ClientError('SIGNED_OUT', 'fetchCredentials gave none: nobody is signed in'));
    }
  }

  #startCounting(): void {
    const { store } = this.#options;
    this.#progress = new ProgressCounter(this.#buckets, store.counts());
    if (this.#progress.isReset) store.resetCounts();
    const bucketsOfRow = new Map<number, string[]>();
    for (const bucket of this.#buckets) {
      for (const id of this.#streams?.rowsOf(bucket) ?? []) {
        bucketsOfRow.set(id, [...(bucketsOfRow.get(id) ?? []), bucket.bucket]);
      }
    }
    this.#bucketsOfRow = bucketsOfRow;
  }

  /** A stream is complete when all of its buckets are; one without buckets when everything is. */
  #completeStreams(scope: PublishScope): readonly number[] {
    const active = this.#options.subscriptions.rows().filter((row) => row.active);
    const ids = active.map(({ id }) => id);
    if (scope.kind === 'full') return ids;
    const started = new Set<number>();
    const missing = new Set<number>();
    for (const bucket of this.#buckets) {
      const isThere = bucket.priority <= scope.priority;
      for (const id of this.#streams?.rowsOf(bucket) ?? []) (isThere ? started : missing).add(id);
    }
    return ids.filter((id) => started.has(id) && !missing.has(id));
  }
}

/** Every line makes another phase of the same kind, which shows nothing new. */
function looksDifferent(before: Phase, after: Phase): boolean {
  return before.kind !== after.kind || isHidden(before) !== isHidden(after);
}

function isHidden(phase: Phase): boolean {
  return (phase.kind === 'authorizing' || phase.kind === 'opening') && phase.hidden;
}
