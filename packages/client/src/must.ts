import { ClientError } from './errors.ts';

/** The value, which cannot be missing unless there is a bug. */
export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new ClientError('BUG', 'A value that must be there is missing.');
  return value;
}
