import { silentLogger } from '@sluice/base';
import { FakeClock } from '@sluice/testing';
import { expect, it, onTestFinished } from 'vitest';
import { Health, type Fault, type Watch } from './health.ts';

function start(watch: Omit<Watch, 'check'>) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const logged: string[] = [];
  const log = (event: string, facts: object = {}) =>
    void logged.push([event, ...Object.values(facts).slice(0, 2)].join(' '));
  const logger = { ...silentLogger, info: log, warn: log, error: log };
  const state: { fault: Fault | undefined } = { fault: undefined };
  const health = new Health({ watches: [{ ...watch, check: () => state.fault }], clock, logger });
  const ended = health.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  return { clock, health, logged, state };
}

const STALLED: Fault = { code: 'HEALTH_LOOP_STALLED', message: 'm' };

it('logs a problem once when it begins and once when it is over', async () => {
  const { clock, health, logged, state } = start({ component: 'sync_feed', fails: ['liveness'] });
  await clock.advance(5000);
  state.fault = STALLED;
  const sinceMs = clock.now() + 1000;
  await clock.advance(5000);
  expect(logged).toEqual(['health_problem sync_feed HEALTH_LOOP_STALLED']);
  expect(health.problems()).toEqual([{ ...STALLED, component: 'sync_feed', sinceMs }]);
  state.fault = undefined;
  await clock.advance(5000);
  expect(logged.slice(1)).toEqual(['health_recovered sync_feed HEALTH_LOOP_STALLED']);
});

it('fails exactly the probes that depend on what is unwell, at once', () => {
  const { health, state } = start({ component: 'sync_feed', fails: ['liveness'] });
  expect(health.passes('liveness')).toBe(true);
  state.fault = STALLED;
  expect(health.passes('liveness')).toBe(false);
  expect(health.passes('readiness')).toBe(true);
});

it('does not log what is seen only once, as after the process was suspended', async () => {
  const { clock, logged, state } = start({ component: 'keepalives', fails: [] });
  state.fault = STALLED;
  await clock.advance(1000);
  state.fault = undefined;
  await clock.advance(5000);
  expect(logged).toEqual([]);
});

it('does not log again what somebody else has logged', async () => {
  const { clock, logged, state } = start({ component: 'replication', fails: [] });
  state.fault = { code: 'SOURCE_UNREACHABLE', message: 'm', isLogged: true };
  await clock.advance(5000);
  expect(logged).toEqual([]);
});
