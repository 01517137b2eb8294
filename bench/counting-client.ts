import type { ServiceProcess } from '../tests/support/service-process.ts';

interface Line {
  readonly checkpoint?: { readonly last_op_id: string; readonly buckets: readonly BucketState[] };
  readonly checkpoint_diff?: {
    readonly last_op_id: string;
    readonly updated_buckets: readonly BucketState[];
    readonly removed_buckets: readonly string[];
  };
  readonly checkpoint_complete?: { readonly last_op_id: string };
  readonly data?: {
    readonly bucket: string;
    readonly next_after: string;
    readonly data: readonly { readonly object_type?: string }[];
  };
}

interface BucketState {
  readonly bucket: string;
}

/**
 * A client that stays connected, keeps its place in every bucket as the SDKs do, and counts the
 * operations it is sent.
 */
export class CountingClient {
  readonly #service: Pick<ServiceProcess, 'url'>;
  readonly #token: string;
  readonly #stop = new AbortController();
  readonly #positions = new Map<string, string>();
  #following: Promise<void> = Promise.resolve();
  #wanted = new Set<string>();
  /** Operations received, by bucket. */
  readonly opsByBucket = new Map<string, number>();
  connections = 0;
  /** When a bucket was first part of a checkpoint, by its name; milliseconds as `performance.now()`. */
  readonly offeredAt = new Map<string, number>();
  /** The buckets of the newest complete checkpoint. */
  complete: ReadonlySet<string> | undefined;

  constructor(service: Pick<ServiceProcess, 'url'>, token: string) {
    this.#service = service;
    this.#token = token;
  }

  connect(): void {
    this.#following = this.#follow();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  /** Operations received so far in the buckets whose name has `part` in it. */
  opsIn(part: string): number {
    const counts = [...this.opsByBucket].filter(([name]) => name.includes(part));
    return counts.reduce((sum, [, count]) => sum + count, 0);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        this.connections += 1;
        await this.#followOnce();
      } catch {
        // As an SDK does: whatever ended the stream, it connects again.
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #followOnce(): Promise<void> {
    const buckets = [...this.#positions].map(([name, after]) => ({ name, after }));
    const response = await fetch(`${this.#service.url}/sync/stream`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Token ${this.#token}`,
        accept: 'application/x-ndjson',
      },
      body: JSON.stringify({
        buckets,
        include_checksum: true,
        raw_data: true,
        client_id: 'counting',
        parameters: {},
      }),
      signal: this.#stop.signal,
    });
    if (!response.ok || response.body === null) throw new Error(`Answered ${response.status}`);
    let rest = '';
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') this.#take(JSON.parse(line) as Line);
    }
  }

  #take({ checkpoint, checkpoint_diff: diff, checkpoint_complete: complete, data }: Line): void {
    if (checkpoint !== undefined) this.#wanted = new Set(checkpoint.buckets.map(nameOf));
    if (diff !== undefined) {
      for (const name of diff.removed_buckets) this.#wanted.delete(name);
      for (const name of diff.updated_buckets.map(nameOf)) this.#wanted.add(name);
    }
    for (const name of this.#wanted) {
      if (!this.offeredAt.has(name)) this.offeredAt.set(name, performance.now());
    }
    if (data !== undefined) {
      this.#positions.set(data.bucket, data.next_after);
      const count = this.opsByBucket.get(data.bucket) ?? 0;
      this.opsByBucket.set(data.bucket, count + data.data.length);
    }
    if (complete === undefined) return;
    this.complete = new Set(this.#wanted);
    for (const name of this.#positions.keys()) {
      if (!this.#wanted.has(name)) this.#positions.delete(name);
    }
  }
}

function nameOf({ bucket }: BucketState): string {
  return bucket;
}
