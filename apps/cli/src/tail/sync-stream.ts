import { AppError, isJsonObject, type JsonObject } from '@sluice/base';
import { parseLine, type Line } from '@sluice/protocol';

export interface SyncStreamRequest {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string;
  readonly clientId: string;
  readonly buckets: readonly { readonly name: string; readonly after: string }[];
  readonly parameters: JsonObject;
  readonly subscriptions: readonly {
    readonly stream: string;
    readonly parameters: JsonObject | null;
  }[];
  readonly signal: AbortSignal;
}

/** The service sends a keepalive every 20 s; after three it is taken for dead. */
const SILENCE_LIMIT_MS = 60_000;

/**
 * The lines of one connection to `/sync/stream`, as NDJSON (spec/protocol.md 2).
 *
 * @throws AppError `CLI_REQUEST_REFUSED` when the service refuses (retrying is pointless),
 * `CLI_SERVICE_UNREACHABLE` when it cannot be reached or stops sending.
 */
export async function* readSyncStream(request: SyncStreamRequest): AsyncGenerator<Line> {
  const watchdog = new Watchdog(request.signal);
  try {
    const response = await connect(request, watchdog.signal);
    for await (const text of ndjsonLines(response.body ?? [])) {
      watchdog.touch();
      const line = parseLine(JSON.parse(text));
      if (line !== undefined) yield line;
    }
  } catch (cause) {
    if (cause instanceof AppError || request.signal.aborted) throw cause;
    throw new AppError('CLI_SERVICE_UNREACHABLE', connectionProblem(request.url, cause), { cause });
  } finally {
    watchdog.stop();
  }
}

async function connect(request: SyncStreamRequest, signal: AbortSignal): Promise<Response> {
  const response = await fetch(`${request.url}/sync/stream`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/x-ndjson',
      'accept-encoding': 'identity',
      authorization: `Token ${request.token}`,
      'x-user-agent': 'sluice-tail',
    },
    body: JSON.stringify(requestBody(request)),
    signal,
  });
  if (response.status === 200) return response;
  throw refusal(response.status, await response.text());
}

function requestBody(request: SyncStreamRequest): JsonObject {
  return {
    buckets: request.buckets.map(({ name, after }) => ({ name, after })),
    include_checksum: true,
    raw_data: true,
    binary_data: true,
    client_id: request.clientId,
    parameters: request.parameters,
    streams: {
      include_defaults: true,
      subscriptions: request.subscriptions.map(({ stream, parameters }) => ({
        stream,
        parameters,
        override_priority: null,
      })),
    },
  };
}

function refusal(status: number, body: string): AppError {
  const facts = errorFacts(body);
  const message = `The service answered ${status}${facts === '' ? '' : `: ${facts}`}`;
  const temporary = status >= 500 || status === 429;
  if (temporary) {
    const remedy = 'Nothing to do if it passes; otherwise see the output of the service';
    return new AppError('CLI_SERVICE_UNREACHABLE', message, { remedy });
  }
  const remedy =
    status === 401 ? 'Use a token that the service accepts: sluice token --user NAME' : undefined;
  return new AppError('CLI_REQUEST_REFUSED', message, { remedy });
}

function errorFacts(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    const error = isJsonObject(parsed) ? parsed['error'] : undefined;
    if (!isJsonObject(error)) return '';
    return [error['code'], error['description']]
      .filter((part) => typeof part === 'string')
      .join(' ');
  } catch (error) {
    if (error instanceof SyntaxError) return body.slice(0, 200); // a proxy in between, say
    throw error;
  }
}

function connectionProblem(url: string, cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const text = inner instanceof Error ? inner.message || inner.name : String(inner);
  return `The connection to ${url} failed: ${text}`;
}

/** Splits a byte stream at line ends; a last line without one counts, empty ones do not. */
export async function* ndjsonLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield rest;
}

/** Aborts when nothing has come for too long, or when the caller's signal does. */
class Watchdog {
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  constructor(outer: AbortSignal) {
    const silence = new AbortController();
    this.signal = AbortSignal.any([outer, silence.signal]);
    this.#timer = setTimeout(() => {
      silence.abort(new Error(`nothing came for ${SILENCE_LIMIT_MS / 1000} s`));
    }, SILENCE_LIMIT_MS);
  }

  touch(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
