import { StorageError } from '@sluice/base';
import { expect, it } from 'vitest';
import { endReason, type StreamEnd } from './stream-end.ts';

const NORMAL: StreamEnd = {
  error: undefined,
  isAnswered: false,
  hasClientLeft: false,
  isStopping: false,
  expiresAtMs: 100,
  nowMs: 50,
};
const error = new StorageError('STORAGE_CLOSED', 'closed');

it.each<[string, Partial<StreamEnd>]>([
  ['config_changed', {}],
  ['shutting_down', { isStopping: true }],
  ['token_expired', { nowMs: 100 }],
  ['token_expired', { nowMs: 100, isStopping: true }],
  ['failed', { error, nowMs: 100 }],
  ['client_left', { error, hasClientLeft: true }],
])('a stream ends with %s when %j', (reason, change) => {
  expect(endReason({ ...NORMAL, ...change })).toBe(reason);
});
