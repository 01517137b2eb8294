import type { SyncError } from '@sluice/base';
import { FakeClock, settle } from '@sluice/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { BytesInFlight } from './bytes-in-flight.ts';

const LARGE = 100_000;
const LIMITS = { maxBytes: 2 * LARGE, shedAfterMs: 2000 };

let clock: FakeClock;
let inFlight: BytesInFlight;
beforeEach(() => {
  clock = new FakeClock();
  inFlight = new BytesInFlight(LIMITS, clock);
});

/** A slow client; `dropped` tells why it was dropped. */
function slow(bytes = LARGE) {
  const client: { dropped?: SyncError; left: () => void } = { left: () => {} };
  client.left = inFlight.stall(bytes, (reason) => {
    client.dropped = reason;
    client.left();
  });
  return client;
}

function asking(bytes: number) {
  const asked = { isIn: false };
  const room = inFlight.room(bytes);
  if (room === undefined) asked.isIn = true;
  else void room.then(() => (asked.isIn = true));
  return asked;
}

describe('BytesInFlight', () => {
  it('lets everybody write while there is room', () => {
    slow();
    expect(asking(LARGE).isIn).toBe(true);
  });

  it('lets large batches wait once the memory is used up, in order, and small ones never', async () => {
    const [first] = [slow(), slow()];
    const [large, next] = [asking(LARGE), asking(LARGE)];
    expect([large.isIn, next.isIn, asking(1000).isIn]).toEqual([false, false, true]);
    first.left();
    await settle();
    expect([large.isIn, next.isIn]).toEqual([true, false]);
  });

  it('drops who has stood longest when others wait, and only as many as it takes', async () => {
    const clients = [slow(), slow(), slow()];
    await clock.advance(1000);
    const waiting = asking(LARGE);
    await clock.advance(500);
    expect(waiting.isIn).toBe(false);
    await clock.advance(1000);
    expect(waiting.isIn).toBe(true);
    expect(clients.map(({ dropped }) => dropped?.code)).toEqual([
      'SYNC_CLIENT_TOO_SLOW',
      'SYNC_CLIENT_TOO_SLOW',
      undefined,
    ]);
    expect(inFlight.bytes).toBeLessThan(LIMITS.maxBytes);
  });

  it('drops nobody while nobody waits', async () => {
    const clients = [slow(), slow(), slow()];
    await clock.advance(60_000);
    expect(clients.some(({ dropped }) => dropped !== undefined)).toBe(false);
  });

  it('does not count twice what has left', () => {
    const client = slow();
    client.left();
    client.left();
    expect(inFlight.bytes).toBe(0);
  });
});
