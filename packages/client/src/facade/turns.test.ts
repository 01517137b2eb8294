import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { untilFree } from '../database/writer-turn.ts';
import { DatabaseClosedError } from '../errors.ts';
import { Turns } from './turns.ts';

function newTurns() {
  return new Turns({ clock: systemClock, context: new AsyncLocalStorage() });
}

/** A turn that lasts until `end`. */
function longTurn(turns: Turns) {
  let end: () => void = () => undefined;
  const done = turns.run(() => new Promise<void>((resolve) => (end = resolve)));
  return { done, end: () => end() };
}

test('sync goes before callers that wait, alone, and does not wait for all of them', async () => {
  const turns = newTurns();
  const log: string[] = [];
  const first = longTurn(turns);
  const callers = ['a', 'b'].map((name) => turns.run(() => log.push(name)));
  const sync = (async () => {
    await untilFree(turns);
    log.push(`sync, free: ${turns.isFree}`);
  })();
  first.end();
  await Promise.all([first.done, sync, ...callers]);
  expect(log).toEqual(['sync, free: true', 'a', 'b']);
});

test('who comes just when a turn ends waits behind those who came before', async () => {
  const turns = newTurns();
  const log: string[] = [];
  const first = longTurn(turns);
  const second = turns.run(() => log.push('second'));
  const third = first.done.then(() => turns.run(() => log.push('third')));
  first.end();
  await Promise.all([second, third]);
  expect(log).toEqual(['second', 'third']);
});

test('a turn that throws ends, and so does one whose caller gave up waiting', async () => {
  const turns = newTurns();
  await expect(turns.run(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
  const first = longTurn(turns);
  await expect(turns.run(() => 'late', 5)).rejects.toMatchObject({ code: 'BUSY' });
  first.end();
  await first.done;
  expect(await turns.run(() => 'next')).toBe('next');
  expect(turns.isFree).toBe(true);
});

test('what a turn started may have a turn of its own once it is over', async () => {
  const turns = newTurns();
  let later: Promise<string> | undefined;
  await turns.run(() => {
    later = new Promise(setImmediate).then(() => turns.run(() => 'later'));
  });
  expect(await later).toBe('later');
});

test('closing refuses who waits and who comes, and frees the connection', async () => {
  const turns = newTurns();
  const first = longTurn(turns);
  const waiting = expect(turns.run(() => undefined)).rejects.toThrow(DatabaseClosedError);
  turns.close();
  expect(turns.isFree).toBe(true);
  await waiting;
  await expect(turns.run(() => undefined)).rejects.toThrow(DatabaseClosedError);
  first.end();
  await first.done;
});
