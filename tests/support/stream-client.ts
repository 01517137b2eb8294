import { AppError } from '@sluice/base';
import { ScriptedSyncClient } from '@sluice/testing';

export interface StreamClientOptions {
  readonly url: string;
  readonly token: () => string;
  /** Further fields of the request, such as `parameters` and `streams`. */
  readonly request?: Readonly<Record<string, unknown>>;
  /** Called after each line that completes a checkpoint, while the rows are those of it. */
  readonly onCheckpoint?: () => void;
  /** Called after each line with operations, with how many have come so far. */
  readonly onOps?: (received: number) => void;
}

export type Row = Readonly<Record<string, unknown>>;

const RETRY_MS = 100;

/**
 * A client that only follows the stream: it keeps its buckets over connections, reconnects whenever
 * one ends, and checks order and checksums at every completion. A broken rule ends it for good; the
 * next look at its rows then throws.
 */
export class StreamClient implements AsyncDisposable {
  readonly #options: StreamClientOptions;
  readonly #state = new ScriptedSyncClient();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #broken: Error | undefined;
  /** Streams that were opened so far. */
  connections = 0;
  /** Operations that were sent so far, over all connections. */
  operations = 0;
  /** What the service answered instead of a stream, newest last. */
  readonly refusals: { readonly status: number; readonly code: string }[] = [];

  constructor(options: StreamClientOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Op id of the last completed checkpoint. */
  get completed(): bigint | undefined {
    return this.#state.completed;
  }

  /** The parsed rows of one table, over all buckets, in the order of their ids. */
  rows(table: string): Row[] {
    if (this.#broken !== undefined) throw this.#broken;
    const rows: Row[] = [];
    for (const [key, data] of this.#state.rows()) {
      if (key.includes(` ${table}/`)) rows.push(JSON.parse(data) as Row);
    }
    return rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && this.#broken === undefined) {
      try {
        await this.#connectOnce(signal);
      } catch (error) {
        // Everything but a broken rule (an assertion) is the network, and is tried again.
        if (error instanceof AppError) this.#broken = error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async #connectOnce(signal: AbortSignal): Promise<void> {
    const response = await fetch(`${this.#options.url}/sync/stream`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/x-ndjson',
        'accept-encoding': 'identity',
        authorization: `Token ${this.#options.token()}`,
      },
      body: JSON.stringify({
        buckets: this.#state.heldBuckets().map(({ name, after }) => ({ name, after: `${after}` })),
        include_checksum: true,
        raw_data: true,
        client_id: 'scripted',
        ...this.#options.request,
      }),
      signal,
    });
    if (response.status !== 200) {
      const body = (await response.json()) as { error: { code: string } };
      this.refusals.push({ status: response.status, code: body.error.code });
      return;
    }
    this.connections += 1;
    this.#state.connect();
    let rest = Buffer.alloc(0);
    for await (const chunk of response.body ?? []) {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(0x0a) + 1; end > 0; end = rest.indexOf(0x0a) + 1) {
        const [line] = this.#state.receive([rest.subarray(0, end)], 'ndjson');
        rest = rest.subarray(end);
        if (line?.kind === 'data') {
          this.operations += line.ops.length;
          this.#options.onOps?.(this.operations);
        }
        if (line?.kind === 'checkpoint_complete') this.#options.onCheckpoint?.();
      }
    }
  }
}
