import { encodeKeepaliveAnswer, parseFrame, type Frame } from '@sluice/protocol/client';
import { serialize } from 'bson';
import type { WebSocketLike } from '../sync/transport/websocket-transport.ts';

/** The service's half of a WebSocket: reads the client's frames, and sends what the test says. */
export class ScriptedSocket implements WebSocketLike {
  binaryType = 'blob';
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: { readonly data: never }) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  readonly url: string;
  readonly frames: Frame[] = [];
  closed = false;

  constructor(url: string) {
    this.url = url;
  }

  send(data: Uint8Array): void {
    if (this.closed) throw new Error('The socket is closed');
    this.frames.push(parseFrame(data.slice()));
  }

  close(): void {
    this.closed = true;
  }

  accept(): void {
    this.onopen?.(undefined as never);
  }

  hangUp(): void {
    this.onclose?.(undefined as never);
  }

  message(bytes: Uint8Array): void {
    this.onmessage?.({ data: Uint8Array.from(bytes).buffer as never });
  }

  line(line: object, flags = '28 20'): void {
    this.message(Buffer.concat([header(flags), serialize(line)]));
  }

  complete(): void {
    this.message(header('28 40'));
  }

  keepaliveAnswer(): void {
    this.message(encodeKeepaliveAnswer(new Uint8Array()));
  }

  /** Frames of a kind that the client has sent. */
  sent(kind: Frame['kind']): readonly Frame[] {
    return this.frames.filter((frame) => frame.kind === kind);
  }
}

/** Stream 1, then type and flags as hex. */
export function header(typeAndFlags: string): Buffer {
  return Buffer.from(`00000001${typeAndFlags.replace(' ', '')}`, 'hex');
}
