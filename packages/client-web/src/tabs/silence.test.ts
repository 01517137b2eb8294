import { expect, test } from 'vitest';
import { Silence } from './silence.ts';

test('silence lasts from what was heard last', () => {
  const silence = new Silence(0);
  expect([silence.look(400), silence.look(900)]).toEqual([400, 900]);
  silence.heard(1_000);
  expect(silence.look(1_500)).toBe(500);
});

test('a thread that was frozen itself does not take that for the silence of others', () => {
  const silence = new Silence(0);
  expect(silence.look(3_600_000)).toBe(1_000);
  expect(silence.look(3_600_500)).toBe(1_500);
});
