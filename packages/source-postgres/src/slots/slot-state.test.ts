import { expect, test } from 'vitest';
import { assertUsable, type SlotState } from './slot-state.ts';

const healthy: SlotState = {
  name: 's',
  plugin: 'pgoutput',
  database: 'app',
  activePid: null,
  walStatus: 'reserved',
  invalidationReason: null,
  conflicting: false,
  confirmedFlush: '00000000/00000100',
};

function check(slot: SlotState | undefined, after = ''): string {
  try {
    assertUsable('s', slot, { database: 'app', after });
    return 'usable';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test.each<[string, SlotState | undefined, string]>([
  ['a healthy slot', healthy, 'usable'],
  ['a slot that needs more log than wanted', { ...healthy, walStatus: 'unreserved' }, 'usable'],
  ['a slot that is gone', undefined, 'SOURCE_SLOT_LOST'],
  ['another plugin', { ...healthy, plugin: 'wal2json' }, 'SOURCE_SLOT_LOST'],
  ['a physical slot', { ...healthy, plugin: null, database: null }, 'SOURCE_SLOT_LOST'],
  ['another database', { ...healthy, database: 'other' }, 'SOURCE_SLOT_LOST'],
  ['removed log', { ...healthy, walStatus: 'lost' }, 'SOURCE_SLOT_LOST'],
  ['an invalidated slot', { ...healthy, invalidationReason: 'wal_removed' }, 'SOURCE_SLOT_LOST'],
  ['a conflict on a standby', { ...healthy, conflicting: true }, 'SOURCE_SLOT_LOST'],
  ['another reader', { ...healthy, activePid: 7 }, 'SOURCE_SLOT_IN_USE'],
  [
    'a lost slot with a reader',
    { ...healthy, walStatus: 'lost', activePid: 7 },
    'SOURCE_SLOT_LOST',
  ],
])('%s', (_title, slot, expected) => {
  expect(check(slot)).toBe(expected);
});

test('a reader that is behind what the slot has given up misses changes', () => {
  expect(check(healthy, '00000000/000000FF')).toBe('SOURCE_SLOT_LOST');
  expect(check(healthy, '00000000/00000100')).toBe('usable');
});
