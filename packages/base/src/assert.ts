import { AppError } from './app-error.ts';

/** Throws `INTERNAL_BUG` unless `condition` holds. `expectation` says what should hold. */
export function assert(condition: unknown, expectation: string): asserts condition {
  if (!condition) throw new AppError('INTERNAL_BUG', `Expected that ${expectation}`);
}

/** Returns `value`, which the caller knows to be present; throws `INTERNAL_BUG` otherwise. */
export function must<T>(value: T | null | undefined, what = 'the value'): T {
  assert(value !== null && value !== undefined, `${what} is present`);
  return value;
}

/** Marks a branch that exhaustive checks make impossible. */
export function unreachable(value: never): never {
  throw new AppError('INTERNAL_BUG', `Unexpected value ${String(value)}`);
}
