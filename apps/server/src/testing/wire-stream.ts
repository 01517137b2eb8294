import { deserialize } from 'bson';
import { onTestFinished } from 'vitest';
import { CONTENT_TYPES } from '@sluice/protocol';
import { until } from '@sluice/testing';
import { JSON_MIME, RawRSocketClient, request, setup } from './raw-rsocket-client.ts';
import { SPEC_TOKEN } from './wire-service.ts';

/** Every way in which a client can get its lines. */
export const TRANSPORTS = ['HTTP NDJSON', 'HTTP BSON', 'RSocket JSON', 'RSocket BSON'] as const;
export type WireTransport = (typeof TRANSPORTS)[number];

/** How a stream was refused, or came to its end. */
type WireEnd =
  | { readonly kind: 'refused'; readonly status?: number; readonly text: string }
  | { readonly kind: 'ended' }
  | { readonly kind: 'cut' };

/** One sync stream over a real socket: what came, byte for byte, and how it ended. */
export interface WireStream {
  /** Whole so far; lines of RSocket without their frames. */
  readonly bytes: () => Buffer;
  readonly lines: () => readonly unknown[];
  /** Resolves with the number of lines once there are so many. */
  readonly untilLines: (count: number) => Promise<void>;
  readonly end: () => Promise<WireEnd>;
}

interface OpenOptions {
  readonly body?: object;
  readonly token?: string;
  /** RSocket only: what is granted at first; endless by default. */
  readonly credit?: number;
}

export async function openStream(
  url: string,
  transport: WireTransport,
  options: OpenOptions = {},
): Promise<WireStream> {
  return transport.startsWith('HTTP')
    ? overHttp(url, transport === 'HTTP BSON' ? 'bson' : 'ndjson', options)
    : overRSocket(url, transport === 'RSocket BSON' ? 'application/bson' : JSON_MIME, options);
}

async function overHttp(
  url: string,
  format: 'bson' | 'ndjson',
  { body = {}, token = SPEC_TOKEN }: OpenOptions,
): Promise<WireStream> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const response = await fetch(`${url}/sync/stream`, {
    method: 'POST',
    headers: {
      authorization: `Token ${token}`,
      'content-type': 'application/json',
      accept: CONTENT_TYPES[format],
      'accept-encoding': 'identity',
    },
    body: JSON.stringify(body),
    signal: abort.signal,
  });
  const parts: Uint8Array[] = [];
  const bytes = () => Buffer.concat(parts);
  const read = async (): Promise<WireEnd> => {
    if (response.status !== 200) {
      return { kind: 'refused', status: response.status, text: await response.text() };
    }
    try {
      for await (const part of response.body ?? []) parts.push(part);
      return { kind: 'ended' };
    } catch {
      return { kind: 'cut' };
    }
  };
  const ended = read();
  const lines = () => (format === 'bson' ? documents(bytes()) : jsonLines(bytes()));
  return { bytes, lines, untilLines: (count) => untilCount(lines, count), end: () => ended };
}

async function overRSocket(
  url: string,
  mime: string,
  { body = {}, token = SPEC_TOKEN, credit = 2 ** 31 - 1 }: OpenOptions,
): Promise<WireStream> {
  const client = await RawRSocketClient.open(url);
  onTestFinished(() => client.socket.terminate());
  client.send(setup({ token: `Token ${token}`, mime }), request({ n: credit, mime, body }));
  const end = (): Promise<WireEnd> => until('the end', () => endOf(client), 10_000);
  const bytes = () =>
    Buffer.concat(
      client.frames.flatMap((frame) =>
        frame.kind === 'payload' && frame.next ? [frame.data] : [],
      ),
    );
  const lines = () => client.lines();
  return { bytes, lines, untilLines: (count) => untilCount(lines, count), end };
}

function endOf({ frames, closed }: RawRSocketClient): WireEnd | undefined {
  for (const frame of frames) {
    if (frame.kind === 'error') return { kind: 'refused', text: frame.message };
    if (frame.kind === 'payload' && frame.complete) return { kind: 'ended' };
  }
  return closed ? { kind: 'cut' } : undefined;
}

/** The lines of BSON documents back to back. */
function documents(bytes: Buffer): readonly unknown[] {
  const whole: unknown[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readInt32LE(at);
    if (at + length > bytes.length) break;
    whole.push(deserialize(bytes.subarray(at, at + length)));
    at += length;
  }
  return whole;
}

function jsonLines(bytes: Buffer): readonly unknown[] {
  const lines = bytes.toString().split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as unknown);
}

async function untilCount(lines: () => readonly unknown[], count: number): Promise<void> {
  await until(`${count} lines`, () => lines().length >= count, 10_000);
}
