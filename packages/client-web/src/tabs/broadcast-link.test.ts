import { until } from '@sluice/testing';
import { expect, test } from 'vitest';
import { broadcastLink } from './broadcast-link.ts';

test('what a tab posts before the leader listens arrives, in order', async () => {
  const tab = broadcastLink(new BroadcastChannel('link-1'), 'tab');
  tab.onMessage(() => undefined);
  for (let n = 1; n <= 3; n++) tab.post(n);
  const leader = broadcastLink(new BroadcastChannel('link-1'), 'leader');
  const heard: unknown[] = [];
  leader.onMessage((message) => heard.push(message));
  await until('it is so', () => heard.length === 3);
  tab.post(4);
  await until('it is so', () => heard.length === 4);
  expect(heard).toEqual([1, 2, 3, 4]);
  tab.close();
});

test.each(['tab', 'leader'] as const)('when the %s closes, both ends know', async (side) => {
  const ends = {
    tab: broadcastLink(new BroadcastChannel('link-2'), 'tab'),
    leader: broadcastLink(new BroadcastChannel('link-2'), 'leader'),
  };
  const closed: string[] = [];
  for (const [name, end] of Object.entries(ends)) {
    end.onMessage(() => undefined);
    end.onClose(() => closed.push(name));
  }
  ends[side].close();
  ends[side].close();
  await until('it is so', () => closed.length === 2);
  expect(new Set(closed)).toEqual(new Set(['tab', 'leader']));
});
