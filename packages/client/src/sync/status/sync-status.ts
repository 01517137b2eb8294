import type { ClientError } from '../../errors.ts';
import { FULL_SYNC } from '../store/sync-layout.ts';
import { keyText, type StreamKey, type StreamRow } from '../streams/subscription-store.ts';
import { figuresOf, type ProgressFigures } from './progress.ts';

/** Everything that a status says; its methods only read it differently. */
export interface StatusFacts {
  readonly connected: boolean;
  readonly connecting: boolean;
  readonly uploading: boolean;
  /** The app paused sync. */
  readonly paused: boolean;
  /** Until the next checkpoint is applied. */
  readonly downloadError: ClientError | undefined;
  /** Until the next upload succeeds. */
  readonly uploadError: ClientError | undefined;
  /** How often in a row the oldest entry of the queue was sent in vain, or its write checkpoint asked for. */
  readonly uploadAttempts: number;
  /** When that is tried again (ms since 1970); undefined while nothing waits for that. */
  readonly nextUploadAtMs: number | undefined;
  /** When a priority was last complete (ms since 1970), least urgent first; `FULL_SYNC` stands for all of them. */
  readonly syncedAt: readonly { readonly priority: number; readonly atMs: number }[];
  /** Of the checkpoint that is being downloaded, most urgent first; undefined for none. */
  readonly progress: readonly (ProgressFigures & { readonly priority: number })[] | undefined;
  readonly streams: readonly StreamFacts[];
}

export interface StreamFacts extends StreamRow {
  /** Why it brings nothing. */
  readonly error: string | undefined;
  readonly progress: ProgressFigures | undefined;
}

export interface PriorityStatus {
  readonly priority: number;
  readonly hasSynced: boolean;
  readonly lastSyncedAt: Date | undefined;
}

export interface StreamStatus {
  readonly name: string;
  readonly params: unknown;
  readonly priority: number | undefined;
  readonly active: boolean;
  readonly isDefault: boolean;
  readonly hasExplicitSubscription: boolean;
  /** Undefined for never. */
  readonly expiresAt: Date | undefined;
  readonly hasSynced: boolean;
  readonly lastSyncedAt: Date | undefined;
  readonly error: string | undefined;
  readonly progress: ProgressFigures | undefined;
}

export interface DownloadProgress extends ProgressFigures {
  /** Of this priority and more urgent ones. */
  untilPriority(priority: number): ProgressFigures;
}

/** How sync stands at one moment (spec/client.md 1.6). Does not change; compare with `isEqual`. */
export class SyncStatus {
  readonly facts: StatusFacts;
  readonly #text: string;

  constructor(facts: StatusFacts) {
    this.facts = facts;
    this.#text = JSON.stringify(facts, (_, value: unknown) =>
      value instanceof Error ? `${value.name}: ${value.message}` : value,
    );
  }

  get connected(): boolean {
    return this.facts.connected;
  }

  get connecting(): boolean {
    return this.facts.connecting;
  }

  get downloading(): boolean {
    return this.facts.progress !== undefined;
  }

  get uploading(): boolean {
    return this.facts.uploading;
  }

  /** Whether the app paused sync, which then neither downloads nor uploads. */
  get paused(): boolean {
    return this.facts.paused;
  }

  get downloadError(): ClientError | undefined {
    return this.facts.downloadError;
  }

  get uploadError(): ClientError | undefined {
    return this.facts.uploadError;
  }

  /** How often in a row the oldest local write was sent in vain; 0 where another process uploads. */
  get uploadAttempts(): number {
    return this.facts.uploadAttempts;
  }

  /** When it is sent again; undefined while nothing waits for that. `hint` does not. */
  get nextUploadAt(): Date | undefined {
    return dateOf(this.facts.nextUploadAtMs);
  }

  /** Whether everything was there at least once. */
  get hasSynced(): boolean {
    return this.lastSyncedAt !== undefined;
  }

  get lastSyncedAt(): Date | undefined {
    return dateOf(this.facts.syncedAt.find(({ priority }) => priority === FULL_SYNC)?.atMs);
  }

  get priorities(): readonly PriorityStatus[] {
    return this.facts.syncedAt.map(({ priority, atMs }) => ({
      priority,
      hasSynced: true,
      lastSyncedAt: new Date(atMs),
    }));
  }

  /** What is less urgent comes later, so its completeness says the same of this one. */
  statusForPriority(priority: number): PriorityStatus {
    const entries = this.priorities.filter((entry) => entry.priority >= priority);
    return entries.at(-1) ?? { priority, hasSynced: false, lastSyncedAt: undefined };
  }

  get downloadProgress(): DownloadProgress | undefined {
    const { progress } = this.facts;
    if (progress === undefined) return undefined;
    const until = (priority: number): ProgressFigures => {
      const meant = progress.filter((each) => each.priority <= priority);
      const sum = (of: (each: ProgressFigures) => number): number =>
        meant.reduce((total, each) => total + of(each), 0);
      return figuresOf(
        sum((each) => each.totalOperations),
        sum((each) => each.downloadedOperations),
      );
    };
    return { ...until(Infinity), untilPriority: until };
  }

  get streams(): readonly StreamStatus[] {
    return this.facts.streams.map(streamStatus);
  }

  /** Undefined for a stream that nobody has subscribed to; `params` is canonical JSON. */
  forStream(key: StreamKey): StreamStatus | undefined {
    const found = this.facts.streams.find((stream) => keyText(stream) === keyText(key));
    return found === undefined ? undefined : streamStatus(found);
  }

  isEqual(other: SyncStatus): boolean {
    return this.#text === other.#text;
  }

  toJSON(): unknown {
    return JSON.parse(this.#text);
  }
}

function streamStatus(stream: StreamFacts): StreamStatus {
  return {
    name: stream.name,
    params: JSON.parse(stream.params),
    priority: stream.priority,
    active: stream.active,
    isDefault: stream.isDefault,
    hasExplicitSubscription: stream.ttl !== undefined,
    expiresAt: dateOf(stream.expiresAtMs),
    hasSynced: stream.syncedAtMs !== undefined,
    lastSyncedAt: dateOf(stream.syncedAtMs),
    error: stream.error,
    progress: stream.progress,
  };
}

function dateOf(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}
