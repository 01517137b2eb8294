import { AppError, Backoff, pause, type Clock, type JsonObject } from '@sluice/base';
import type { Screen } from '../terminal/screen.ts';
import { counted, formatDuration } from '../terminal/text.ts';
import { readSyncStream } from './sync-stream.ts';
import {
  formatBuckets,
  formatChange,
  formatCheckpoint,
  formatMismatch,
  formatSynced,
} from './tail-format.ts';
import { TailView, type BucketSummary, type TailEvent } from './tail-view.ts';

export interface TailOptions {
  readonly screen: Screen;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly url: string;
  /** Asked for every connection, so that an expired token is replaced. */
  readonly token: () => Promise<string>;
  readonly clientId: string;
  readonly parameters: JsonObject;
  readonly subscriptions: readonly {
    readonly stream: string;
    readonly parameters: JsonObject | null;
  }[];
  /** Prints every row of the first download and of large changes. */
  readonly all: boolean;
  readonly showBuckets: boolean;
}

/** More changes than this in one checkpoint are only counted, unless all are wanted. */
const MAX_CHANGES_SHOWN = 100;

/**
 * Prints what changes for a user until the signal fires; connects again after every interruption.
 *
 * @throws AppError `CLI_REQUEST_REFUSED` when the service refuses the token or the request.
 */
export async function runTail(options: TailOptions): Promise<void> {
  const { screen, clock, signal } = options;
  const view = new TailView();
  const printer = new TailPrinter(options);
  const backoff = new Backoff({ firstMs: 250, maxMs: 10_000, jitter: 0.2, random: Math.random });
  let problem = '';
  while (!signal.aborted) {
    try {
      await followOnce(options, view, printer, () => {
        backoff.reset();
        if (problem !== '') screen.print(`${screen.colors.green('✓')} Connected again`);
        problem = '';
      });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof AppError && error.retryable)) throw error;
      if (error.message !== problem) {
        screen.print(`${screen.colors.yellow('!')} ${error.message}; trying again until it works`);
      }
      problem = error.message;
    }
    await pause(clock, backoff.nextDelayMs(), signal);
  }
}

async function followOnce(
  options: TailOptions,
  view: TailView,
  printer: TailPrinter,
  onLine: () => void,
): Promise<void> {
  const { url, clientId, parameters, subscriptions, signal } = options;
  const token = await options.token();
  const buckets = view.positions();
  printer.connecting();
  for await (const line of readSyncStream({
    url,
    token,
    clientId,
    parameters,
    subscriptions,
    signal,
    buckets,
  })) {
    onLine();
    const events = view.apply(line);
    printer.show(events);
    // The wrong buckets are forgotten: a new request downloads them again.
    if (events.some((event) => event.kind === 'mismatch')) return;
  }
}

class TailPrinter {
  readonly #options: TailOptions;
  #connectedAtMs = 0;
  #lastCheckpointAtMs = 0;
  #synced = false;
  /** Checksums of the buckets as they were printed last. */
  #shown: ReadonlyMap<string, number> = new Map();

  constructor(options: TailOptions) {
    this.#options = options;
  }

  connecting(): void {
    this.#connectedAtMs = this.#options.clock.now();
  }

  show(events: readonly TailEvent[]): void {
    const { screen, clock, all, showBuckets } = this.#options;
    const { colors } = screen;
    const atMs = clock.now();
    const format = { colors, atMs, maxColumns: screen.isTty ? screen.columns : Infinity };
    const isFirst = events.some((event) => event.kind === 'synced');
    const limit = all ? Infinity : isFirst ? 0 : MAX_CHANGES_SHOWN;
    let changeCount = 0;
    for (const event of events) {
      switch (event.kind) {
        case 'change':
          changeCount += 1;
          if (changeCount <= limit) screen.print(formatChange(event, format));
          break;
        case 'synced':
          screen.print(formatSynced(event, atMs - this.#connectedAtMs, format));
          this.#lastCheckpointAtMs = atMs;
          this.#synced = true;
          break;
        case 'checkpoint':
          if (changeCount > limit) {
            screen.print(`… and ${counted(changeCount - limit, 'more change')} (--all shows them)`);
          }
          screen.print(formatCheckpoint(event, atMs - this.#lastCheckpointAtMs, format));
          this.#lastCheckpointAtMs = atMs;
          break;
        case 'buckets':
          if (showBuckets) this.#showBuckets(event.buckets);
          break;
        case 'mismatch':
          screen.print(formatMismatch(event, format));
          break;
        case 'stream-error':
          screen.print(`${colors.red('✗')} Stream ${event.stream}: ${event.message}`);
          break;
      }
    }
    if (this.#synced) screen.setStatus(undefined);
    else screen.setStatus(`  … downloading  ${formatDuration(atMs - this.#connectedAtMs)}`);
  }

  /** All of them the first time, then those that changed. */
  #showBuckets(buckets: readonly BucketSummary[]): void {
    const { screen } = this.#options;
    const changed = buckets.filter(({ bucket, checksum }) => this.#shown.get(bucket) !== checksum);
    for (const line of formatBuckets(changed, screen.colors)) screen.print(line);
    this.#shown = new Map(buckets.map(({ bucket, checksum }) => [bucket, checksum]));
  }
}
