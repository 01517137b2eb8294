import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeCancel,
  encodeComplete,
  encodeError,
  encodeKeepalive,
  encodeKeepaliveAnswer,
  encodeRequestN,
  encodeRequestStream,
  encodeSetup,
  FrameError,
  parseFrame,
  payloadHeader,
  RSOCKET_ERRORS,
} from './frames.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex');
const hex = (...parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('hex');
const textOf = (part: Uint8Array | undefined): string => Buffer.from(part ?? []).toString('utf8');

// The frames of spec/protocol.md 11.7.
const SETUP =
  '0000000005000001000000004e2000015f90106170706c69636174696f6e2f6a736f6e106170706c69636174696f6e2f6a736f6e0000487b22746f6b656e223a22546f6b656e2065794a68624763694f694a49557a49314e694a392e6533302e4141222c22757365725f6167656e74223a226578616d706c652f312e30227d';
const REQUEST_STREAM =
  '0000000119000000000a0000177b2270617468223a222f73796e632f73747265616d227d7b226275636b657473223a5b5d2c227261775f64617461223a747275652c22636c69656e745f6964223a226331222c22706172616d6574657273223a7b7d7d';

describe('parseFrame', () => {
  it('reads a setup', () => {
    const frame = parseFrame(bytes(SETUP));
    expect(frame).toMatchObject({
      kind: 'setup',
      majorVersion: 1,
      lifetimeMs: 90_000,
      resume: false,
      lease: false,
      metadataMime: 'application/json',
      dataMime: 'application/json',
    });
    if (frame.kind !== 'setup') throw new Error('not a setup');
    expect(textOf(frame.metadata)).toBe(
      '{"token":"Token eyJhbGciOiJIUzI1NiJ9.e30.AA","user_agent":"example/1.0"}',
    );
    expect(frame.data).toHaveLength(0);
  });

  it('reads a request for a stream', () => {
    const frame = parseFrame(bytes(REQUEST_STREAM));
    expect(frame).toMatchObject({ kind: 'request stream', streamId: 1, initialN: 10 });
    if (frame.kind !== 'request stream') throw new Error('not a request');
    expect(textOf(frame.metadata)).toBe('{"path":"/sync/stream"}');
    expect(textOf(frame.data)).toBe(
      '{"buckets":[],"raw_data":true,"client_id":"c1","parameters":{}}',
    );
  });

  it.each([
    ['00000001200000000005', { kind: 'request n', streamId: 1, n: 5 }],
    ['000000012400', { kind: 'cancel', streamId: 1 }],
    ['000000000c800000000000000000', { kind: 'keepalive', respond: true }],
    ['000000012840', { kind: 'payload', streamId: 1, complete: true, next: false }],
    ['000000011000', { kind: 'other request', streamId: 1 }],
    ['000000003400', { kind: 'resume' }],
    ['00000000fe00', { kind: 'ignored' }],
    [
      '000000002c00000000035b5053594e435f53323130335d20746f6b656e2065787069726564',
      { kind: 'error', streamId: 0, code: 3, message: '[PSYNC_S2103] token expired' },
    ],
  ])('reads %s', (text, frame) => {
    expect(parseFrame(bytes(text))).toMatchObject(frame);
  });

  it.each(['', '0000', SETUP.slice(0, 60), REQUEST_STREAM.slice(0, 40), '00000001f800'])(
    'refuses what is cut off or unknown: %j',
    (text) => {
      expect(() => parseFrame(bytes(text))).toThrow(FrameError);
    },
  );

  it('gives a frame or a FrameError for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (message) => {
        try {
          expect(parseFrame(message).kind).toBeTypeOf('string');
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
      { seed: 20_261_125, numRuns: 5000 },
    );
  });
});

describe('frames of the service', () => {
  it('a line is a payload with NEXT', () => {
    const line = bytes(
      '3100000003636865636b706f696e745f636f6d706c6574650017000000026c6173745f6f705f6964000200000033000000',
    );
    expect(hex(payloadHeader(1), line)).toBe(
      '0000000128203100000003636865636b706f696e745f636f6d706c6574650017000000026c6173745f6f705f6964000200000033000000',
    );
  });

  it('the end is a payload with COMPLETE', () => {
    expect(hex(encodeComplete(1))).toBe('000000012840');
  });

  it('a keepalive is answered with the same data', () => {
    expect(hex(encodeKeepaliveAnswer(bytes('')))).toBe('000000000c000000000000000000');
    expect(hex(encodeKeepaliveAnswer(bytes('0102')))).toBe('000000000c0000000000000000000102');
  });

  it('errors carry code and text', () => {
    expect(hex(encodeError(0, RSOCKET_ERRORS.rejectedSetup, '[PSYNC_S2103] token expired'))).toBe(
      '000000002c00000000035b5053594e435f53323130335d20746f6b656e2065787069726564',
    );
    const text = '[PSYNC_S2302] nothing deployed';
    expect(hex(encodeError(1, RSOCKET_ERRORS.applicationError, text))).toBe(
      '000000012c00000002015b5053594e435f53323330325d206e6f7468696e67206465706c6f796564',
    );
  });
});

describe('frames of a client', () => {
  it.each([
    [
      'setup',
      SETUP,
      encodeSetup({
        keepaliveMs: 20_000,
        lifetimeMs: 90_000,
        metadata: '{"token":"Token eyJhbGciOiJIUzI1NiJ9.e30.AA","user_agent":"example/1.0"}',
      }),
    ],
    [
      'request for a stream',
      REQUEST_STREAM,
      encodeRequestStream(1, {
        initialN: 10,
        metadata: '{"path":"/sync/stream"}',
        data: '{"buckets":[],"raw_data":true,"client_id":"c1","parameters":{}}',
      }),
    ],
    ['request for more', '00000001200000000005', encodeRequestN(1, 5)],
    ['keepalive', '000000000c800000000000000000', encodeKeepalive()],
    ['cancellation', '000000012400', encodeCancel(1)],
  ])('%s', (_what, expected, frame) => {
    expect(hex(frame)).toBe(expected);
  });
});
