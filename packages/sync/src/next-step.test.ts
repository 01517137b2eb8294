import { describe, expect, test } from 'vitest';
import { nextStep, type SessionFacts, type Step } from './next-step.ts';

/** An idle session that has everything of checkpoint 10. */
const idle: SessionFacts = {
  tokenExpired: false,
  tokenLineDue: false,
  checkpoint: 10n,
  newest: 10n,
  changed: false,
  unusable: undefined,
  completed: true,
  requires: 0n,
  opsSent: 0,
  supersedeAfterOps: 1000,
  priority: undefined,
  next: undefined,
};
const todo = (priority: number) => ({ priority, isUpToDate: false });
const done = (priority: number) => ({ priority, isUpToDate: true });
const busy = { completed: false, next: todo(1), priority: 1 };

const TABLE: readonly (readonly [string, Partial<SessionFacts>, Step])[] = [
  [
    'nothing is sent before the first checkpoint',
    { checkpoint: undefined, completed: false },
    'plan',
  ],
  ['an expired token ends even that', { checkpoint: undefined, tokenExpired: true }, 'expire'],
  ['an expired token goes before a due line', { tokenExpired: true, tokenLineDue: true }, 'expire'],
  ['a token line may come first', { checkpoint: undefined, tokenLineDue: true }, 'send-token-line'],
  ['a token line goes between chunks', { ...busy, tokenLineDue: true }, 'send-token-line'],
  ['an idle session waits', {}, 'wait'],
  ['newer checkpoints without changes do not wake it', { newest: 11n }, 'wait'],
  ['a change does', { newest: 11n, changed: true }, 'plan'],
  ['a write checkpoint may come at the same checkpoint', { changed: true }, 'plan'],
  [
    'a first checkpoint that cannot be read is left out',
    { checkpoint: undefined, completed: false, unusable: 10n },
    'wait-for-newer',
  ],
  [
    'the next one is tried',
    { checkpoint: undefined, completed: false, unusable: 10n, newest: 11n },
    'plan',
  ],
  ['the same holds for later ones', { changed: true, unusable: 10n }, 'wait-for-newer'],
  ['buckets are read one after the other', busy, 'read'],
  ['a bucket that the client has is skipped', { ...busy, next: done(1) }, 'skip'],
  ['the first bucket starts its priority', { ...busy, priority: undefined }, 'read'],
  [
    'a priority is completed before the next begins',
    { ...busy, next: todo(2) },
    'complete-priority',
  ],
  ['also when the next needs nothing', { ...busy, next: done(2) }, 'complete-priority'],
  ['the last priority completes the checkpoint', { ...busy, next: undefined }, 'complete'],
  ['no buckets complete at once', { completed: false }, 'complete'],
  ['a short download is finished first', { ...busy, changed: true, opsSent: 999 }, 'read'],
  ['a long one gives way to a newer checkpoint', { ...busy, changed: true, opsSent: 1000 }, 'plan'],
  ['but only where it is concerned', { ...busy, newest: 11n, opsSent: 1000 }, 'read'],
  ['invalid data is sent to the end of its priority', { ...busy, requires: 12n }, 'read'],
  [
    'an invalid priority is not completed',
    { ...busy, requires: 12n, next: todo(2) },
    'wait-for-newer',
  ],
  [
    'an invalid checkpoint is not completed',
    { ...busy, requires: 12n, next: undefined },
    'wait-for-newer',
  ],
  [
    'nor at a newer checkpoint that is still too old',
    { ...busy, requires: 12n, newest: 11n, next: undefined, changed: true },
    'wait-for-newer',
  ],
  ['it goes on at one that is new enough', { ...busy, requires: 12n, newest: 12n }, 'plan'],
  [
    'data that is valid at the checkpoint completes it',
    { ...busy, requires: 10n, next: undefined },
    'complete',
  ],
];

describe('nextStep', () => {
  test.each(TABLE)('%s', (_rule, facts, expected) => {
    expect(nextStep({ ...idle, ...facts })).toBe(expected);
  });
});
