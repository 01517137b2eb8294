/** A request for a stream, and the service's half of its connection. */
export class ScriptedStream {
  readonly request: StreamRequestJson;
  readonly headers: Headers;
  #closed = false;
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  readonly body: ReadableStream<Uint8Array>;

  constructor(init: RequestInit | undefined, onCancel: () => void = () => undefined) {
    this.request = JSON.parse(bodyOf(init)) as StreamRequestJson;
    this.headers = new Headers(init?.headers);
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    this.body = new ReadableStream({
      start: (given) => void (controller = given),
      cancel: () => {
        this.#closed = true;
        onCancel();
      },
    });
    if (controller === undefined) throw new Error('The stream has no controller');
    this.#controller = controller;
    init?.signal?.addEventListener('abort', () => {
      if (!this.#closed) this.#controller.error(init.signal?.reason);
      this.#closed = true;
    });
  }

  /** Whether the client has hung up. */
  get closed(): boolean {
    return this.#closed;
  }

  send(...lines: readonly unknown[]): void {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    this.sendBytes(new TextEncoder().encode(text));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#controller.enqueue(bytes);
  }

  end(): void {
    this.#closed = true;
    this.#controller.close();
  }

  fail(): void {
    this.#closed = true;
    this.#controller.error(new Error('cut off'));
  }
}

export interface StreamRequestJson {
  readonly buckets: readonly { readonly name: string; readonly after: string }[];
  readonly streams: { readonly subscriptions: readonly unknown[] };
}

/** A service as a `fetch` function: streams that the test writes to, and write checkpoints that count up. */
export class ScriptedService {
  readonly streams: ScriptedStream[] = [];
  /** Other calls, as `METHOD path body`. */
  readonly calls: string[] = [];
  /** Status of the next requests for streams; 200 when used up. Undefined: the network is down. */
  readonly refusals: (number | undefined)[] = [];
  writeCheckpoint = 0;
  contentType = 'application/x-ndjson';
  /** Whether it knows `/sync/checkpoint-request`. */
  takesRequests = false;
  /** Other calls fail while it is set. */
  down = false;
  /** Done once, before the next of the other calls is answered. */
  meanwhile: (() => void) | undefined;

  readonly fetch = (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { pathname, search } = new URL(url instanceof Request ? url.url : url);
    if (pathname === '/sync/stream') return this.#stream(init);
    this.calls.push(`${init?.method ?? 'GET'} ${pathname}${search} ${bodyOf(init)}`.trim());
    this.meanwhile?.();
    this.meanwhile = undefined;
    if (this.down) return Promise.reject(new TypeError('fetch failed'));
    if (pathname === '/write-checkpoint2.json') {
      this.writeCheckpoint += 1;
      return json({ data: { write_checkpoint: String(this.writeCheckpoint) } });
    }
    if (pathname === '/sync/checkpoint-request' && this.takesRequests) {
      const { checkpoint_request_id: id } = JSON.parse(bodyOf(init)) as {
        checkpoint_request_id: string;
      };
      this.writeCheckpoint = Math.max(this.writeCheckpoint, Number(id));
      return json({ data: { checkpoint_request_id: String(this.writeCheckpoint) } });
    }
    return json({ error: { code: 'PSYNC_S2002', description: 'no route' } }, 404);
  };

  /** The newest stream. */
  get stream(): ScriptedStream {
    const last = this.streams.at(-1);
    if (last === undefined) throw new Error('No stream was asked for');
    return last;
  }

  #stream(init: RequestInit | undefined): Promise<Response> {
    const [status] = this.refusals.length > 0 ? this.refusals.splice(0, 1) : [200];
    if (status === undefined) return Promise.reject(new TypeError('fetch failed'));
    if (status !== 200) {
      return json({ error: { code: `PSYNC_S2${status}`, description: 'refused' } }, status);
    }
    const stream = new ScriptedStream(init);
    this.streams.push(stream);
    const headers = { 'Content-Type': this.contentType };
    return Promise.resolve(new Response(stream.body, { headers }));
  }
}

function json(body: unknown, status = 200): Promise<Response> {
  return Promise.resolve(new Response(JSON.stringify(body), { status }));
}

function bodyOf(init: RequestInit | undefined): string {
  return typeof init?.body === 'string' ? init.body : '';
}
