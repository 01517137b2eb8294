import type { Line } from '@sluice/protocol';
import { BsonLineSplitter, JsonLineSplitter, type LineSplitter } from '@sluice/protocol/client';
import { withTimeout, type ClientClock } from '../../clock.ts';
import { refusal } from './response-error.ts';
import {
  MAX_LINE_BYTES,
  StreamFailure,
  toStreamFailure,
  type Fetch,
  type LineStream,
  type StreamOpening,
  type SyncTransport,
} from './transport.ts';

const BSON_TYPE = 'application/vnd.powersync.bson-stream';
const JSON_TYPE = 'application/x-ndjson';
/** As long as an open stream may be silent. */
const OPEN_TIMEOUT_MS = 45_000;

export interface HttpTransportOptions {
  readonly fetch: Fetch;
  readonly clock: ClientClock;
  /** Sent as `X-User-Agent`. */
  readonly userAgent: string;
  /** What is preferred; the service decides. JSON by default: every engine parses it natively. */
  readonly format?: 'ndjson' | 'bson';
  readonly maxLineBytes?: number;
}

/** The stream as the body of one HTTP response (spec/protocol.md 2.2). */
export class HttpTransport implements SyncTransport {
  readonly #options: HttpTransportOptions;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
  }

  async open(opening: StreamOpening): Promise<LineStream> {
    const response = await this.#request(opening);
    if (response.status !== 200) {
      throw refusal(response.status, await response.text().catch(() => ''));
    }
    if (response.body === null) throw new StreamFailure('NETWORK', 'The response has no body');
    return linesOf(response.body, this.#splitterFor(response.headers.get('content-type')));
  }

  async #request({ credentials, body, signal }: StreamOpening): Promise<Response> {
    const { fetch, clock, userAgent } = this.#options;
    const timeout = {
      ms: OPEN_TIMEOUT_MS,
      signal,
      onTimeout: () => new StreamFailure('TIMEOUT', 'The service did not answer'),
    };
    try {
      return await withTimeout(clock, timeout, () =>
        fetch(`${credentials.endpoint}/sync/stream`, {
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            Accept: this.#accept(),
            Authorization: `Token ${credentials.token}`,
            'X-User-Agent': userAgent,
          },
          body,
          // Not the timeout's: the body goes on after it, and a failed stream is closed by its signal.
          signal,
        }),
      );
    } catch (error) {
      throw toStreamFailure(error);
    }
  }

  #accept(): string {
    return this.#options.format === 'bson'
      ? `${BSON_TYPE};q=0.9,${JSON_TYPE};q=0.8`
      : `${JSON_TYPE};q=0.9,${BSON_TYPE};q=0.8`;
  }

  /** Services before 1.14 answer NDJSON whatever was asked for. */
  #splitterFor(contentType: string | null): LineSplitter {
    const max = this.#options.maxLineBytes ?? MAX_LINE_BYTES;
    const isBson = contentType?.split(';')[0]?.trim() === BSON_TYPE;
    return isBson ? new BsonLineSplitter(max) : new JsonLineSplitter(max);
  }
}

async function* linesOf(
  body: ReadableStream<Uint8Array>,
  splitter: LineSplitter,
): AsyncGenerator<readonly Line[]> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = done ? splitter.end() : splitter.push(value);
      if (lines.length > 0) yield lines;
      if (done) return;
    }
  } catch (error) {
    throw toStreamFailure(error);
  } finally {
    // Whoever stops reading closes the connection; a body that has failed already refuses.
    await reader.cancel().catch(() => undefined);
  }
}
