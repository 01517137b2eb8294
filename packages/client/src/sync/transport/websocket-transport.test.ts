import type { Line } from '@sluice/protocol';
import { encodeCancel } from '@sluice/protocol/client';
import { FakeClock, settle } from '@sluice/testing';
import { serialize } from 'bson';
import { describe, expect, test } from 'vitest';
import { header, ScriptedSocket } from '../../testing/scripted-socket.ts';
import type { LineStream } from './transport.ts';
import { WebSocketTransport } from './websocket-transport.ts';

const COMPLETE = { checkpoint_complete: { last_op_id: '3' } };

class SocketWorld {
  readonly clock = new FakeClock();
  readonly controller = new AbortController();
  readonly sockets: ScriptedSocket[] = [];
  readonly opening: Promise<LineStream>;
  readonly batches: (readonly Line[])[] = [];
  outcome: unknown;

  constructor(options: { readonly linesAhead?: number; readonly maxLineBytes?: number } = {}) {
    const transport = new WebSocketTransport({
      openSocket: (url) => {
        this.sockets.push(new ScriptedSocket(url));
        return this.socket;
      },
      clock: {
        now: () => this.clock.now(),
        elapsed: () => this.clock.now(),
        sleep: (ms, signal) => this.clock.sleep(ms, signal),
      },
      userAgent: 'example/1.0',
      ...options,
    });
    this.opening = transport.open({
      credentials: { endpoint: 'https://service/base', token: 'jwt' },
      body: '{"buckets":[]}',
      signal: this.controller.signal,
    });
    this.opening.catch((error: unknown) => (this.outcome = error));
  }

  get socket(): ScriptedSocket {
    const last = this.sockets.at(-1);
    if (last === undefined) throw new Error('No socket was opened');
    return last;
  }

  /** Opens the stream and takes its lines until it ends. */
  async follow(): Promise<void> {
    this.socket.accept();
    this.socket.line(COMPLETE);
    const stream = await this.opening;
    void (async () => {
      try {
        for await (const lines of stream) this.batches.push(lines);
        this.outcome = 'ended';
      } catch (error) {
        this.outcome = error;
      }
    })();
    await settle();
  }
}

describe('opening', () => {
  test('sends setup and request, and waits for the first line', async () => {
    const world = new SocketWorld();
    expect(world.socket.url).toBe('wss://service/base/sync/stream');
    world.socket.accept();
    const [setup, request] = world.socket.frames;
    const text = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString();
    expect(setup).toMatchObject({
      kind: 'setup',
      lifetimeMs: 90_000,
      dataMime: 'application/json',
    });
    expect(setup?.kind === 'setup' && text(setup.metadata)).toBe(
      '{"token":"Token jwt","user_agent":"example/1.0"}',
    );
    expect(request).toMatchObject({ kind: 'request stream', streamId: 1, initialN: 10 });
    expect(request?.kind === 'request stream' && text(request.data)).toBe('{"buckets":[]}');
    await settle();
    expect(world.outcome).toBeUndefined();
    world.socket.line(COMPLETE);
    await world.opening;
  });

  test('a service that does not answer within 30 s is given up', async () => {
    const world = new SocketWorld();
    await world.clock.advance(30_000);
    expect(world.outcome).toMatchObject({ code: 'TIMEOUT' });
    expect(world.socket.closed).toBe(true);
  });

  test.each([
    ['[PSYNC_S2103] token expired', 'UNAUTHORIZED', true],
    ['[PSYNC_S2302] nothing deployed', 'SERVICE', false],
  ])('a refusal with %s is %s', async (text, code, unauthorized) => {
    const world = new SocketWorld();
    world.socket.accept();
    world.socket.message(
      Buffer.concat([Buffer.from('000000002c0000000003', 'hex'), Buffer.from(text)]),
    );
    await settle();
    expect(world.outcome).toMatchObject({ code, unauthorized });
    expect(world.socket.closed).toBe(true);
  });

  test('a network that is down is told', async () => {
    const world = new SocketWorld();
    world.socket.onerror?.(undefined as never);
    await settle();
    expect(world.outcome).toMatchObject({ code: 'NETWORK', unauthorized: false });
  });

  test('ends with its signal', async () => {
    const world = new SocketWorld();
    world.controller.abort();
    await settle();
    expect(world.outcome).toBeDefined();
    expect(world.socket.closed).toBe(true);
  });
});

describe('lines', () => {
  test('come in order; more are asked for as they are taken', async () => {
    const world = new SocketWorld();
    await world.follow();
    for (let seconds = 1; seconds <= 9; seconds += 1) {
      world.socket.line({ token_expires_in: seconds });
    }
    await settle();
    expect(
      world.batches.flat().map((line) => line.kind === 'token_expires_in' && line.seconds),
    ).toEqual([false, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const asked = world.socket
      .sent('request n')
      .map((frame) => frame.kind === 'request n' && frame.n);
    expect(asked).toEqual([10]);
  });

  test('that nobody takes are not followed by more', async () => {
    const world = new SocketWorld();
    world.socket.accept();
    for (let i = 0; i < 10; i += 1) world.socket.line(COMPLETE);
    await world.opening;
    await world.clock.advance(5_000);
    expect(world.socket.sent('request n')).toEqual([]);
  });

  test('one after the other, if that is wanted', async () => {
    const world = new SocketWorld({ linesAhead: 1 });
    await world.follow();
    world.socket.line(COMPLETE);
    await settle();
    expect(world.socket.sent('request n')).toHaveLength(2);
  });

  test('of unknown kinds are left out and still make room', async () => {
    const world = new SocketWorld();
    await world.follow();
    for (let i = 0; i < 9; i += 1) world.socket.line({ something_new: {} });
    await settle();
    expect(world.batches.flat()).toHaveLength(1);
    expect(world.socket.sent('request n').length).toBeGreaterThan(0);
  });

  test('in fragments are put together', async () => {
    const world = new SocketWorld();
    await world.follow();
    const bytes = serialize({ token_expires_in: 7 });
    world.socket.message(Buffer.concat([header('28 a0'), bytes.subarray(0, 9)]));
    world.socket.message(Buffer.concat([header('28 20'), bytes.subarray(9)]));
    await settle();
    expect(world.batches.at(-1)).toEqual([{ kind: 'token_expires_in', seconds: 7 }]);
  });

  test.each<[what: string, damage: (socket: ScriptedSocket) => void, code: string]>([
    ['a line that is none', (socket) => socket.line({ checkpoint_complete: {} }), 'PROTOCOL'],
    ['bytes that are no frame', (socket) => socket.message(Buffer.from('00')), 'PROTOCOL'],
    [
      'a fragment without end',
      (socket) => socket.message(Buffer.concat([header('28 a0'), Buffer.alloc(2_000)])),
      'PROTOCOL',
    ],
    ['a text', (socket) => socket.onmessage?.({ data: 'text' as never }), 'PROTOCOL'],
    ['a hang-up', (socket) => socket.hangUp(), 'NETWORK'],
  ])('%s ends the stream', async (_what, damage, code) => {
    const world = new SocketWorld({ maxLineBytes: 1_000 });
    await world.follow();
    damage(world.socket);
    await settle();
    expect(world.outcome).toMatchObject({ code });
    expect(world.socket.closed).toBe(true);
  });

  test('end when the service says so, after those that came before', async () => {
    const world = new SocketWorld();
    await world.follow();
    world.socket.line({ token_expires_in: 0 });
    world.socket.complete();
    await settle();
    expect(world.batches.flat()).toHaveLength(2);
    expect(world.outcome).toBe('ended');
    expect(world.socket.closed).toBe(true);
  });

  test('frames that a service does not send are let be', async () => {
    const world = new SocketWorld();
    await world.follow();
    world.socket.message(encodeCancel(1));
    await settle();
    expect(world.outcome).toBeUndefined();
  });
});

describe('keeping alive', () => {
  test('asks every 20 s, and an answer is a sign of life', async () => {
    const world = new SocketWorld();
    await world.follow();
    await world.clock.advance(19_999);
    expect(world.socket.sent('keepalive')).toHaveLength(0);
    await world.clock.advance(1);
    expect(world.socket.sent('keepalive')).toEqual([expect.objectContaining({ respond: true })]);
    world.socket.keepaliveAnswer();
    await world.clock.advance(29_999);
    expect(world.outcome).toBeUndefined();
    expect(world.batches.at(-1)).toEqual([]);
    await world.clock.advance(1);
    expect(world.outcome).toMatchObject({ code: 'STREAM_SILENT' });
    expect(world.socket.closed).toBe(true);
  });

  test('stops with the stream', async () => {
    const world = new SocketWorld();
    await world.follow();
    world.controller.abort();
    await world.clock.advance(100_000);
    expect(world.socket.sent('keepalive')).toEqual([]);
  });
});
