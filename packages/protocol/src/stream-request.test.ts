import { describe, expect, test } from 'vitest';
import { parseStreamRequest } from './stream-request.ts';

const subscription = { stream: 's', parameters: null, override_priority: null };
const streams = (more: object) => ({ streams: { subscriptions: [subscription], ...more } });

describe('parseStreamRequest', () => {
  test('nothing asked for means all default streams from the start', () => {
    expect(parseStreamRequest({})).toEqual({
      buckets: [],
      rawData: false,
      clientId: undefined,
      parameters: {},
      appMetadata: {},
      includeDefaults: true,
      subscriptions: [],
    });
  });

  test('the request of the worked session', () => {
    const body =
      '{"buckets":[{"name":"7#b[]","after":"9223372036854775807"}],"include_checksum":true,"raw_data":true,"binary_data":true,"client_id":"c1","parameters":{"a":[1]},"app_metadata":{"v":"2"},"streams":{"include_defaults":false,"subscriptions":[{"stream":"todos","parameters":{"list_id":"L1"},"override_priority":0}]}}';
    expect(parseStreamRequest(JSON.parse(body))).toEqual({
      buckets: [{ name: '7#b[]', after: 2n ** 63n - 1n }],
      rawData: true,
      clientId: 'c1',
      parameters: { a: [1] },
      appMetadata: { v: '2' },
      includeDefaults: false,
      subscriptions: [{ stream: 'todos', parameters: { list_id: 'L1' }, overridePriority: 0 }],
    });
  });

  // Vectors of spec/protocol.md 11.10 and the rules of 2.1.
  test.each([
    ['unknown fields at every level', { x: 1, buckets: [{ name: 'b', after: '1', y: 2 }] }],
    [
      'override_priority 9',
      streams({ subscriptions: [{ ...subscription, override_priority: 9 }] }),
    ],
    ['streams with subscriptions alone', streams({})],
    ['keys of the object prototype', { constructor: 1, parameters: { toString: 1 } }],
  ])('accepts %s', (_what, body) => {
    expect(() => parseStreamRequest(body)).not.toThrow();
  });

  const nested = (levels: number): unknown =>
    JSON.parse(`{"parameters":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`);
  test('takes parameters of any sensible depth, and refuses what would exhaust the stack', () => {
    expect(() => parseStreamRequest(nested(99))).not.toThrow();
    for (const levels of [100, 200_000]) {
      expect(() => parseStreamRequest(nested(levels))).toThrow(
        expect.objectContaining({ code: 'SYNC_REQUEST_INVALID' }),
      );
    }
  });

  const { override_priority: _, ...withoutPriority } = subscription;
  const { parameters: __, ...withoutParameters } = subscription;
  test.each([
    ['parameters', { parameters: null }],
    ['parameters', { parameters: [] }],
    ['raw_data', { raw_data: null }],
    ['client_id', { client_id: null }],
    ['client_id', { client_id: 7 }],
    ['streams', { streams: null }],
    ['streams.subscriptions', { streams: {} }],
    ['app_metadata.a', { app_metadata: { a: 1 } }],
    ['buckets[0].after', { buckets: [{ name: 'b', after: 1 }] }],
    ['buckets[0].after', { buckets: [{ name: 'b', after: '-1' }] }],
    ['buckets[0].after', { buckets: [{ name: 'b', after: '9223372036854775808' }] }],
    ['buckets[1].name', { buckets: [{ name: 'b', after: '1' }, { after: '1' }] }],
    ['buckets[0]', { buckets: ['b'] }],
    ['only', { only: 'b' }],
    ['streams.include_defaults', streams({ include_defaults: null })],
    ['streams.subscriptions[0].override_priority', streams({ subscriptions: [withoutPriority] })],
    ['streams.subscriptions[0].parameters', streams({ subscriptions: [withoutParameters] })],
    ['the body', []],
    ['the body', null],
  ])('refuses a wrong %s and names it', (field, body) => {
    expect(() => parseStreamRequest(body)).toThrow(
      expect.objectContaining({
        code: 'SYNC_REQUEST_INVALID',
        message: expect.stringContaining(`${field} must be`),
      }),
    );
  });
});
