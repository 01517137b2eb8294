import { isIPv6 } from 'node:net';
import { AppError, type Clock } from '@sluice/base';

/** How many refused sign-ins an address may have at once, and how fast that is given back. */
const MAX_FAILURES = 30;
const FORGIVEN_EVERY_MS = 2000;
const MAX_ADDRESSES = 10_000;

interface Failures {
  readonly count: number;
  readonly countedAtMs: number;
}

/**
 * Slows down whoever guesses: an address with too many refused sign-ins is not listened to for a
 * while. A client that retries every five seconds does not get there.
 */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws AppError `TOKENS_SIGN_IN_LIMITED`. */
  assertAllowed(address: string | undefined): void {
    if (address === undefined || this.#count(network(address)) + 1 <= MAX_FAILURES) return;
    throw new AppError('TOKENS_SIGN_IN_LIMITED', 'Too many sign-ins from here were refused');
  }

  failed(address: string | undefined): void {
    if (address === undefined) return;
    const key = network(address);
    const count = this.#count(key) + 1;
    this.#failures.delete(key);
    this.#failures.set(key, { count, countedAtMs: this.#clock.now() });
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MAX_ADDRESSES) return;
      this.#failures.delete(oldest);
    }
  }

  #count(key: string): number {
    const { count = 0, countedAtMs = 0 } = this.#failures.get(key) ?? {};
    const forgiven = (this.#clock.now() - countedAtMs) / FORGIVEN_EVERY_MS;
    return Math.max(0, count - Math.max(0, forgiven));
  }
}

/** One customer of a provider has a whole /64 of IPv6 addresses. */
function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}
