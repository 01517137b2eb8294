import { beforeEach, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testing';
import { FailureLimit } from './failure-limit.ts';

let clock: FakeClock;
let limit: FailureLimit;
beforeEach(() => {
  clock = new FakeClock();
  limit = new FailureLimit(clock);
});

function isAllowed(address: string | undefined): boolean {
  try {
    limit.assertAllowed(address);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'TOKENS_SIGN_IN_LIMITED', httpStatus: 429 });
    return false;
  }
}

function failTimes(count: number, address: string | undefined): void {
  for (let i = 0; i < count; i++) limit.failed(address);
}

it('the 30th refusal in a row is the last that is looked at for two seconds', async () => {
  failTimes(29, '192.0.2.1');
  expect(isAllowed('192.0.2.1')).toBe(true);
  failTimes(1, '192.0.2.1');
  expect(isAllowed('192.0.2.1')).toBe(false);
  expect(isAllowed('192.0.2.2')).toBe(true);
  await clock.advance(2000);
  expect(isAllowed('192.0.2.1')).toBe(true);
});

it('a client that asks every five seconds never gets there', async () => {
  for (let i = 0; i < 200; i++) {
    expect(isAllowed('192.0.2.1')).toBe(true);
    failTimes(1, '192.0.2.1');
    await clock.advance(5000);
  }
});

it('an IPv6 network counts as one address, an IPv4 address in IPv6 form as itself', () => {
  failTimes(30, '2001:db8:1:2::1');
  expect(isAllowed('2001:DB8:1:2:ffff::9')).toBe(false);
  expect(isAllowed('2001:db8:1:3::1')).toBe(true);
  failTimes(30, '::ffff:192.0.2.1');
  expect(isAllowed('192.0.2.1')).toBe(false);
  expect(isAllowed('192.0.2.2')).toBe(true);
  failTimes(30, '::1');
  expect(isAllowed('::1')).toBe(false);
});

it('without an address nobody is held responsible for others', () => {
  failTimes(100, undefined);
  expect(isAllowed(undefined)).toBe(true);
});

it('remembers the last 10,000 addresses, no more', () => {
  failTimes(30, '192.0.2.1');
  for (let i = 0; i < 9_999; i++) limit.failed(`10.0.${i >> 8}.${i & 255}`);
  expect(isAllowed('192.0.2.1')).toBe(false);
  limit.failed('10.1.0.0');
  expect(isAllowed('192.0.2.1')).toBe(true);
});
