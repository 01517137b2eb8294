import type { Line } from '@sluice/protocol';
import { settle } from './fake-clock.ts';
import { ScriptedSyncClient } from './scripted-sync-client.ts';

type Batches = AsyncIterator<readonly Uint8Array[]>;

/** Drives one sync stream by hand: takes batches only when the test says so. */
export class ScriptedConnection {
  readonly client: ScriptedSyncClient;
  readonly #batches: Batches;
  readonly #format: 'ndjson' | 'bson';
  #pending: Promise<IteratorResult<readonly Uint8Array[], unknown>> | undefined;
  ended = false;
  /** Everything received. */
  bytes: Buffer = Buffer.alloc(0);

  constructor(batches: Batches, format: 'ndjson' | 'bson', client = new ScriptedSyncClient()) {
    this.#batches = batches;
    this.#format = format;
    this.client = client;
    client.connect();
  }

  /** The next batch; undefined at the end. Waits for it. */
  async take(): Promise<readonly Line[] | undefined> {
    const result = await (this.#pending ?? this.#batches.next());
    this.#pending = undefined;
    if (result.done === true) {
      this.ended = true;
      return undefined;
    }
    this.bytes = Buffer.concat([this.bytes, ...result.value]);
    return this.client.receive(result.value, this.#format);
  }

  /** All lines that come without time passing. */
  async drain(): Promise<readonly Line[]> {
    const lines: Line[] = [];
    while (!this.ended && (await this.hasMore())) lines.push(...((await this.take()) ?? []));
    return lines;
  }

  /** As `drain`, in short: `checkpoint 3`, `data 7#b[] 1 2`, `complete 3`. */
  async story(): Promise<readonly string[]> {
    return (await this.drain()).map(storyOf);
  }

  close(): void {
    void this.#batches.return?.();
  }

  /** Some quiet turns of the event loop without an answer count as "nothing to come". */
  async hasMore(): Promise<boolean> {
    const pending = (this.#pending ??= this.#batches.next());
    const answered = pending.then(
      () => true,
      () => true,
    );
    return Promise.race([
      answered,
      settle()
        .then(settle)
        .then(() => false),
    ]);
  }
}

function storyOf(line: Line): string {
  switch (line.kind) {
    case 'checkpoint':
      return story(
        'checkpoint',
        line.lastOpId,
        line.writeCheckpoint,
        line.buckets.map(({ bucket }) => bucket),
      );
    case 'checkpoint_diff':
      return story('diff', line.lastOpId, line.writeCheckpoint, [
        ...line.updatedBuckets.map(({ bucket }) => bucket),
        ...line.removedBuckets.map((name) => `-${name}`),
      ]);
    case 'data':
      return ['data', line.bucket, ...line.ops.map((op) => `${op.kind}:${op.opId}`)].join(' ');
    case 'checkpoint_complete':
      return `complete ${line.lastOpId}`;
    case 'partial_checkpoint_complete':
      return `complete ${line.lastOpId} up to priority ${line.priority}`;
    case 'token_expires_in':
      return `token ${line.seconds}`;
  }
}

function story(kind: string, opId: bigint, writeCheckpoint: bigint | undefined, names: string[]) {
  const written = writeCheckpoint === undefined ? [] : [`w${writeCheckpoint}`];
  return [kind, opId, ...written, ...names].join(' ');
}
