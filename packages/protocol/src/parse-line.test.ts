import { describe, expect, test } from 'vitest';
import { parseLine } from './parse-line.ts';

const bucket = { bucket: 'b', checksum: 1, count: 1, priority: 1, subscriptions: [] };
const checkpoint = (more: object) => ({ checkpoint: { last_op_id: '1', buckets: [], ...more } });
const data = (op: object) => ({
  data: { bucket: 'b', data: [{ op_id: '1', checksum: 1, ...op }] },
});

/** Line vectors of spec/protocol.md 11.10. */
describe('lines a tolerant client accepts', () => {
  test.each([
    ['an unknown line', { something_new: {} }],
    ['write_checkpoint null', checkpoint({ write_checkpoint: null })],
    [
      'a bucket with name and checksum alone',
      checkpoint({ buckets: [{ bucket: 'b', checksum: 1 }] }),
    ],
    ['a checkpoint without streams', checkpoint({})],
    ['priority 9', checkpoint({ buckets: [{ ...bucket, priority: 9 }] })],
    ['a signed checksum', checkpoint({ buckets: [{ ...bucket, checksum: -1 }] })],
    ['an unsigned checksum', checkpoint({ buckets: [{ ...bucket, checksum: 4294967295 }] })],
  ])('%s', (_what, line) => {
    expect(() => parseLine(line)).not.toThrow();
  });

  test('what is missing takes its default', () => {
    expect(parseLine(checkpoint({ buckets: [{ bucket: 'b', checksum: 4294967295 }] }))).toEqual({
      kind: 'checkpoint',
      lastOpId: 1n,
      writeCheckpoint: undefined,
      buckets: [{ bucket: 'b', checksum: -1, count: 0, priority: 3, subscriptions: [] }],
      streams: [],
    });
    expect(parseLine({ something_new: {} })).toBeUndefined();
  });
});

describe('lines no service may send', () => {
  test.each([
    ['no key', {}],
    ['two keys', { token_expires_in: 1, checkpoint_complete: { last_op_id: '1' } }],
    ['an op id as a number', { checkpoint_complete: { last_op_id: 1 } }],
    ['a checksum as a string', checkpoint({ buckets: [{ ...bucket, checksum: '1' }] })],
    ['a checksum of 33 bits', checkpoint({ buckets: [{ ...bucket, checksum: 4294967296 }] })],
    ['subscriptions null', checkpoint({ buckets: [{ ...bucket, subscriptions: null }] })],
    ['a stream without errors', checkpoint({ streams: [{ name: 's', is_default: true }] })],
    ['op PATCH', data({ op: 'PATCH' })],
    ['a PUT without data', data({ op: 'PUT', object_type: 't', object_id: 'i', subkey: 's' })],
    ['text', 'checkpoint'],
  ])('%s', (_what, line) => {
    expect(() => parseLine(line)).toThrow(expect.objectContaining({ code: 'SYNC_LINE_INVALID' }));
  });
});
