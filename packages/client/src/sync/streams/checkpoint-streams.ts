import type { CheckpointBucket, StreamDescription } from '@sluice/protocol';
import { NO_PARAMS } from './canonical-params.ts';
import type { StreamRow } from './subscription-store.ts';

/**
 * What the indexes of one stream of lines stand for: `sub` counts the subscriptions of its request, `default` the streams of
 * its checkpoint line (spec/protocol.md 2.3, 6.2).
 */
export class CheckpointStreams {
  readonly #requested: readonly StreamRow[];
  readonly #streams: readonly StreamDescription[];
  readonly #defaultRows: ReadonlyMap<string, number>;

  /** `rows` are those after the checkpoint line was noted. */
  constructor(facts: {
    readonly requested: readonly StreamRow[];
    readonly streams: readonly StreamDescription[];
    readonly rows: readonly StreamRow[];
  }) {
    this.#requested = facts.requested;
    this.#streams = facts.streams;
    this.#defaultRows = new Map(
      facts.rows.filter(({ params }) => params === NO_PARAMS).map(({ name, id }) => [name, id]),
    );
  }

  /** Rows of `sluice_stream` that the bucket is there for. */
  rowsOf({ subscriptions }: CheckpointBucket): readonly number[] {
    return subscriptions.flatMap((reason) => {
      const name = 'default' in reason ? this.#streams[reason.default]?.name : undefined;
      const id =
        'sub' in reason ? this.#requested[reason.sub]?.id : this.#defaultRows.get(name ?? '');
      return id === undefined ? [] : [id];
    });
  }

  /** Why subscriptions bring nothing, by row: what the service says, and streams that it does not know. */
  errors(): ReadonlyMap<number, string> {
    const errors = new Map<number, string>();
    const names = new Set(this.#streams.map(({ name }) => name));
    for (const { id, name } of this.#requested) {
      if (!names.has(name)) errors.set(id, `The service has no stream ${name}`);
    }
    for (const { name, errors: told } of this.#streams) {
      for (const { subscription, message } of told) {
        const id =
          subscription === 'default'
            ? this.#defaultRows.get(name)
            : this.#requested[subscription]?.id;
        if (id !== undefined) errors.set(id, message);
      }
    }
    return errors;
  }
}
