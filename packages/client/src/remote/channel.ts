/**
 * Two ends that exchange plain values by structured clone, in order. What is posted to an end that is gone is lost, and its `onClose`
 * is how the other one learns of it.
 */
export interface Channel {
  /** @throws whatever says that the value cannot be cloned */
  post(message: unknown): void;
  /** One listener, to be given before anything can come. */
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, whichever end closed it, or died. Several listeners. */
  onClose(listener: () => void): void;
  /** May be called twice. */
  close(): void;
}

/** What MessagePort, Worker and the like have in common, in browsers and Node.js. */
export interface PortLike {
  postMessage(message: unknown): void;
  addEventListener(type: string, listener: (event: object) => void): void;
  start?(): void;
  close?(): void;
  terminate?(): void;
}

/**
 * Over a port or a worker. Not every browser tells a port that its other end is gone (`close`): whoever knows it by other means, like a
 * lock that was let go, calls `close` of the channel.
 */
export function portChannel(port: PortLike): Channel {
  const listeners: (() => void)[] = [];
  let isClosed = false;
  const ended = () => {
    if (isClosed) return;
    isClosed = true;
    for (const listener of listeners) listener();
  };
  port.addEventListener('close', ended);
  return {
    post: (message) => {
      if (!isClosed) port.postMessage(message);
    },
    onMessage: (listener) => {
      port.addEventListener('message', (event) => {
        if (!isClosed) listener('data' in event ? event.data : undefined);
      });
      port.start?.();
    },
    onClose: (listener) => {
      if (isClosed) queueMicrotask(listener);
      else listeners.push(listener);
    },
    close: () => {
      if (isClosed) return;
      ended();
      if (port.close !== undefined) port.close();
      else port.terminate?.();
    },
  };
}
