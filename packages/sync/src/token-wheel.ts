import type { Clock } from '@sluice/base';

const SECOND_MS = 1000;
/** Between keepalive lines, plus or minus `KEEPALIVE_JITTER` (spec/protocol.md 2.9). */
const KEEPALIVE_MS = 20_000;
const KEEPALIVE_JITTER = 0.1;
const EXPIRY_WARNING_MS = 20_000;

/** Whole seconds until a token expires, rounded up, never below 0. */
export function secondsLeft(expiresAtMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((expiresAtMs - nowMs) / SECOND_MS));
}

/**
 * When the next token line is due: a keepalive about every 20 s, one line 20 s before expiry, and
 * one at expiry. `random` is in [0, 1); undefined where the transport has keepalives of its own.
 */
export function nextTokenLineMs(
  expiresAtMs: number,
  nowMs: number,
  random: number | undefined,
): number {
  const keepaliveMs =
    random === undefined
      ? Infinity
      : nowMs + KEEPALIVE_MS * (1 + KEEPALIVE_JITTER * (2 * random - 1));
  const warningMs = expiresAtMs - EXPIRY_WARNING_MS;
  return Math.min(keepaliveMs, expiresAtMs, warningMs > nowMs ? warningMs : Infinity);
}

export interface Alarm {
  /** Called once, about when the time that was set has come. */
  ring(): void;
}

/**
 * One timer for any number of alarms, in slots of a second. Setting, clearing and ringing cost the
 * same however many there are, and an alarm that is not due costs nothing.
 */
export class TokenWheel {
  readonly #slots = new Map<number, Set<Alarm>>();
  #turnedAtMs: number | undefined;

  /** When it last looked at its alarms, which it does once a second; undefined before the first time. */
  get turnedAtMs(): number | undefined {
    return this.#turnedAtMs;
  }

  /** Rings at the full second that follows `atMs`. Returns the slot, which `clear` wants. */
  set(alarm: Alarm, atMs: number): number {
    const slot = Math.ceil(atMs / SECOND_MS);
    const alarms = this.#slots.get(slot);
    if (alarms === undefined) this.#slots.set(slot, new Set([alarm]));
    else alarms.add(alarm);
    return slot;
  }

  clear(alarm: Alarm, slot: number): void {
    const alarms = this.#slots.get(slot);
    if (alarms?.delete(alarm) === true && alarms.size === 0) this.#slots.delete(slot);
  }

  /** Runs until the signal; the rejection with its reason is the end. */
  async turn(clock: Clock, signal: AbortSignal): Promise<never> {
    for (;;) {
      await clock.sleep(SECOND_MS - (clock.now() % SECOND_MS), signal);
      this.#turnedAtMs = clock.now();
      this.#ringUntil(Math.floor(clock.now() / SECOND_MS));
    }
  }

  /** There are few slots (tokens are looked at every 20 s), so a late timer costs nothing extra. */
  #ringUntil(second: number): void {
    for (const [slot, alarms] of this.#slots) {
      if (slot > second) continue;
      this.#slots.delete(slot);
      for (const alarm of alarms) alarm.ring();
    }
  }
}
