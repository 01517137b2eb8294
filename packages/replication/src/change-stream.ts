import type { SourcePosition, TablePattern } from '@sluice/model';
import { matchesPattern } from '@sluice/model';
import type { ChangeEvent, SourceReplication } from '@sluice/source';
import { includesPatterns } from './fills.ts';

/** Changes that arrived, and the number of the stream that they are from. */
export interface ArrivedChanges {
  readonly kind: 'changes';
  readonly stream: number;
  readonly events: readonly ChangeEvent[];
}

/**
 * The stream of changes of the tables that are read. It asks for one set of tables from beginning to
 * end, so that what it counts within a transaction is the same after a restart; when tables come that
 * it does not ask for, another stream goes on in its place, between two transactions. Tables that are
 * needed no more make no difference: their changes are counted, and do nothing.
 */
export class ChangeStream {
  readonly #replication: Pick<SourceReplication, 'stream'>;
  readonly #run: (changes: AsyncIterable<ArrivedChanges>, signal: AbortSignal) => Promise<void>;
  readonly #signal: AbortSignal;
  #patterns: readonly TablePattern[] = [];
  #number = 0;
  #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  /** `run` takes what a stream gives, until `signal` aborts. */
  constructor(options: {
    readonly replication: Pick<SourceReplication, 'stream'>;
    readonly run: (changes: AsyncIterable<ArrivedChanges>, signal: AbortSignal) => Promise<void>;
    readonly signal: AbortSignal;
  }) {
    this.#replication = options.replication;
    this.#run = options.run;
    this.#signal = options.signal;
  }

  /** The tables whose changes are asked for. */
  get patterns(): readonly TablePattern[] {
    return this.#patterns;
  }
  /** Settles when no stream runs any more. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  isCurrent({ stream }: ArrivedChanges): boolean {
    return stream === this.#number;
  }

  asksFor(patterns: readonly TablePattern[]): boolean {
    return includesPatterns(this.#patterns, patterns);
  }

  /** Begins after a position, in place of the stream before; its changes still on the way are stale. */
  startAfter(position: SourcePosition, patterns: readonly TablePattern[]): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#number += 1;
    this.#patterns = patterns;
    this.#ended = this.#follow(this.#ended, position, {
      number: this.#number,
      signal: AbortSignal.any([this.#signal, this.#stop.signal]),
    });
  }

  async #follow(
    before: Promise<void>,
    position: SourcePosition,
    stream: { readonly number: number; readonly signal: AbortSignal },
  ): Promise<void> {
    await before; // a replication has one stream at a time
    if (stream.signal.aborted) return;
    await this.#run(this.#changes(position, stream), stream.signal);
  }

  async *#changes(
    after: SourcePosition,
    { number, signal }: { readonly number: number; readonly signal: AbortSignal },
  ): AsyncGenerator<ArrivedChanges> {
    const patterns = this.#patterns;
    const isWanted = (table: { readonly schema: string; readonly name: string }): boolean =>
      patterns.some((pattern) => matchesPattern(pattern, table));
    const stream = this.#replication.stream({ after, isWanted, signal });
    for await (const events of stream) yield { kind: 'changes', stream: number, events };
  }
}
