import type { ServerResponse } from 'node:http';
import { abortReason } from '@sluice/base';
import type { StreamEncoder } from './stream-encoder.ts';

/**
 * Writes a stream to a client as fast as the client takes it. Returns once the last byte was handed
 * over; rejects when the client has gone (`signal`) or when the batches fail.
 */
export async function pumpStream(
  response: ServerResponse,
  batches: AsyncIterator<readonly Uint8Array[]>,
  first: IteratorResult<readonly Uint8Array[]>,
  options: { readonly encoder: StreamEncoder; readonly signal: AbortSignal },
): Promise<void> {
  const { encoder, signal } = options;
  let head = encoder.head;
  for (let result = first; !result.done; result = await batches.next()) {
    const encoded = await encoder.encode(result.value);
    await writeAll(response, head ? [head, ...encoded] : encoded, signal);
    head = undefined;
  }
  const tail = encoder.tail();
  await writeAll(
    response,
    [head, tail].filter((part) => part !== undefined),
    signal,
  );
  response.end();
}

async function writeAll(
  response: ServerResponse,
  parts: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw abortReason(signal);
  let hasRoom = true;
  response.cork();
  for (const part of parts) hasRoom = response.write(part);
  response.uncork();
  if (!hasRoom) await drained(response, signal);
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => () => {
      response.off('drain', onDrain);
      signal.removeEventListener('abort', onAbort);
      action();
    };
    const onDrain = settle(resolve);
    const onAbort = settle(() => reject(abortReason(signal)));
    response.once('drain', onDrain);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
