import type { DatabaseConnector } from '@sluice/client';
import { until } from '@sluice/testing';

/** A service as a `fetch` function: each stream gets the lines that the test sends, and uploads get checkpoints that count up. */
export class LineService {
  readonly requests: { readonly streams: { readonly subscriptions: readonly unknown[] } }[] = [];
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #writeCheckpoint = 0;

  readonly connector: DatabaseConnector = {
    fetchCredentials: () => Promise.resolve({ endpoint: 'http://service', token: 'token' }),
    uploadData: async (db) => {
      await (await db.getNextCrudTransaction())?.complete();
    },
  };

  readonly fetch = (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { pathname } = new URL(url instanceof Request ? url.url : url);
    if (pathname !== '/sync/stream') {
      this.#writeCheckpoint += 1;
      const data = { write_checkpoint: String(this.#writeCheckpoint) };
      return Promise.resolve(new Response(JSON.stringify({ data })));
    }
    this.requests.push(
      JSON.parse(
        typeof init?.body === 'string' ? init.body : '{}',
      ) as (typeof this.requests)[number],
    );
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason));
      },
    });
    const headers = { 'Content-Type': 'application/x-ndjson' };
    return Promise.resolve(new Response(body, { headers }));
  };

  get subscriptions(): readonly unknown[] {
    return this.requests.at(-1)?.streams.subscriptions ?? [];
  }

  /** Once a stream with that many subscriptions is open. */
  async send(subscriptions: number, ...lines: readonly unknown[]): Promise<void> {
    await until('the request', () => this.subscriptions.length === subscriptions);
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    this.#controller?.enqueue(new TextEncoder().encode(text));
  }
}

// Of the session of spec/protocol.md 11.5.
const BUCKET = '7#todos|0["L1"]';

/** A checkpoint of the stream `todos` with the todos Milk and Bread, and what goes wrong with another one. */
export const TODOS_LINES = [
  {
    checkpoint: {
      last_op_id: '3',
      buckets: [
        {
          bucket: BUCKET,
          checksum: -1739258475,
          count: 2,
          priority: 3,
          subscriptions: [{ sub: 0 }],
        },
      ],
      streams: [{ name: 'todos', is_default: false, errors: [] }],
    },
  },
  {
    data: {
      bucket: BUCKET,
      after: '0',
      has_more: false,
      next_after: '3',
      data: [
        {
          op_id: '2',
          op: 'PUT',
          object_type: 'todos',
          object_id: 'T1',
          checksum: 3603514498,
          subkey: 'T-todos/1',
          data: '{"id":"T1","list_id":"L1","title":"Milk","qty":2}',
        },
        {
          op_id: '3',
          op: 'PUT',
          object_type: 'todos',
          object_id: 'T2',
          checksum: 3247161619,
          subkey: 'T-todos/2',
          data: '{"id":"T2","list_id":"L1","title":"Bread","qty":1}',
        },
      ],
    },
  },
  { checkpoint_complete: { last_op_id: '3' } },
] as const;

/** The same data confirmed after the write checkpoint `n`. */
export function afterWrites(n: number): readonly unknown[] {
  return [
    {
      checkpoint_diff: {
        last_op_id: '3',
        write_checkpoint: String(n),
        removed_buckets: [],
        updated_buckets: [],
      },
    },
    { checkpoint_complete: { last_op_id: '3' } },
  ];
}
