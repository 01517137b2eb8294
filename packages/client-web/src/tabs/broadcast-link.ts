import type { Channel } from '@sluice/client';

/** The part of BroadcastChannel that is used. */
export interface BroadcastLike {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
}

type LinkMessage =
  | { readonly kind: 'open' }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'closed' };

/**
 * One end of a channel between a leader and a tab, over a BroadcastChannel that only these two know. What the tab posts before the leader listens
 * waits for its `open`. Whoever dies says nothing: the other one learns it from a lock, or a new leader, and calls `close`.
 */
export function broadcastLink(broadcast: BroadcastLike, side: 'leader' | 'tab'): Channel {
  const closing: (() => void)[] = [];
  let onMessage: (message: unknown) => void = () => undefined;
  let waiting: LinkMessage[] | undefined = side === 'tab' ? [] : undefined;
  let isClosed = false;
  const end = () => {
    if (isClosed) return;
    isClosed = true;
    broadcast.close();
    for (const listener of closing) listener();
  };
  broadcast.addEventListener('message', ({ data }) => {
    if (isClosed) return;
    // Only the other end posts here.
    const message = data as LinkMessage;
    if (message.kind === 'value') onMessage(message.value);
    else if (message.kind === 'closed') end();
    else {
      for (const each of waiting ?? []) broadcast.postMessage(each);
      waiting = undefined;
    }
  });
  return {
    post: (value) => {
      if (isClosed) return;
      const message: LinkMessage = { kind: 'value', value };
      if (waiting === undefined) broadcast.postMessage(message);
      else waiting.push(message);
    },
    onMessage: (listener) => {
      onMessage = listener;
      if (side === 'leader') broadcast.postMessage({ kind: 'open' } satisfies LinkMessage);
    },
    onClose: (listener) => {
      if (isClosed) queueMicrotask(listener);
      else closing.push(listener);
    },
    close: () => {
      if (!isClosed) broadcast.postMessage({ kind: 'closed' } satisfies LinkMessage);
      end();
    },
  };
}
