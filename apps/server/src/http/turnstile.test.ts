import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Turnstile } from './turnstile.ts';

it('lets one in at once, and everybody else in order, one in each turn of the event loop', async () => {
  const turnstile = new Turnstile();
  let turn = 0;
  const entered: [number, number][] = [];
  const all = [0, 1, 2, 3].map(async (n) => {
    await turnstile.enter();
    entered.push([n, turn]);
  });
  for (; entered.length < all.length; turn += 1) await setImmediate();
  expect(entered.map(([n]) => n)).toEqual([0, 1, 2, 3]);
  expect(new Set(entered.slice(1).map(([, at]) => at)).size).toBe(3);
  expect(turnstile.waiting).toBe(0);
});
