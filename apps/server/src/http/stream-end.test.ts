import { silentLogger, StorageError, type LogFacts } from '@sluice/base';
import { expect, it } from 'vitest';
import { endReason, logStreamEnd, type StreamEnd } from './stream-end.ts';

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

it.each<[what: string, error: Error, stack: unknown]>([
  [
    'an exception that nobody expected',
    new TypeError('x is no y'),
    expect.stringMatching(/^TypeError: x is no y\n +at /),
  ],
  ['a failure of the world', error, undefined],
])('a stream that fails is one line in the log, with the stack of %s', (_what, failure, stack) => {
  const lines: LogFacts[] = [];
  const note = (event: string, facts: LogFacts = {}): void => void lines.push({ event, ...facts });
  const about = { facts: { user: 'u1' }, openedAtMs: 0, sent: undefined };
  const logger = { ...silentLogger, warn: note, error: note };
  logStreamEnd(logger, 'failed', { ...NORMAL, error: failure }, about);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ event: 'stream_closed', message: failure.message });
  expect(lines[0]?.['stack']).toEqual(stack);
});
