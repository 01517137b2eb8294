import type { Line } from '@sluice/protocol';
import { FrameError, LineError } from '@sluice/protocol/client';
import type { Credentials } from '../session/credentials.ts';
import { ClientError } from '../../errors.ts';

/** What a client needs of `fetch`. Request bodies are texts. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How a stream of lines is had from the service. */
export interface SyncTransport {
  /**
   * Asks for a stream, and resolves once the service has answered.
   *
   * @throws StreamFailure if it refuses or cannot be reached; whatever the signal aborted with
   */
  open(request: StreamOpening): Promise<LineStream>;
}

export interface StreamOpening {
  readonly credentials: Credentials;
  /** JSON text of the request (spec/protocol.md 2.1). */
  readonly body: string;
  /** Ends the stream, whether it is open yet or not. */
  readonly signal: AbortSignal;
}

/**
 * Lines in the order in which they came, in batches; an empty batch is a sign of life without a line. Ends when the service
 * ends the stream. What is not asked for yet is bounded, and the service waits.
 *
 * @throws StreamFailure
 */
export type LineStream = AsyncIterable<readonly Line[]>;

/** Why there is no stream, or no more. */
export class StreamFailure extends ClientError {
  override name = 'StreamFailure';
  /** The service refused the token. */
  readonly unauthorized: boolean;

  constructor(
    code: string,
    message: string,
    options: { readonly unauthorized?: boolean; readonly cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.unauthorized = options.unauthorized ?? false;
  }
}

/** No line needs more (spec/protocol.md 2.6: about 16 MiB, which JSON's escapes may double). */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

export function toStreamFailure(error: unknown): StreamFailure {
  if (error instanceof StreamFailure) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof LineError || error instanceof FrameError) {
    return new StreamFailure('PROTOCOL', text, { cause: error });
  }
  return new StreamFailure('NETWORK', `The connection to the service failed: ${text}`, {
    cause: error,
  });
}
