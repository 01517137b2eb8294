import { expect, it } from 'vitest';
import { silentLogger } from '@sluice/base';
import { FakeClock } from '@sluice/testing';
import { CheckpointRequestExpiry } from './checkpoint-request-expiry.ts';

it('forgets what is older than the retention, every minute, also after a failure', async () => {
  const clock = new FakeClock(10_000_000);
  const stop = new AbortController();
  const asked: number[] = [];
  const warnings: string[] = [];
  const expiry = new CheckpointRequestExpiry({
    store: () => ({
      expireRequests: (beforeMs) => {
        asked.push(beforeMs);
        return asked.length === 1 ? Promise.reject(new Error('busy')) : Promise.resolve(3);
      },
    }),
    retentionMs: 3_600_000,
    clock,
    logger: { ...silentLogger, warn: (event) => warnings.push(event) },
  });
  const running = expiry.run(stop.signal);
  await clock.advance(60_000);
  await clock.advance(60_000);
  expect(asked).toEqual([6_460_000, 6_520_000]);
  expect(warnings).toEqual(['checkpoint_request_expiry_failed']);
  stop.abort();
  await running;
});
