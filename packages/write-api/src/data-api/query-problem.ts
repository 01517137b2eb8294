import { AppError } from '@sluice/base';

/** What is wrong with a request, said with the name of the part. */
export function queryProblem(message: string, cause?: unknown): AppError {
  return new AppError('DATA_QUERY_INVALID', message, { cause });
}

/** `value` for people, cut off. */
export function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}

/** @throws AppError unless `text` is a whole number of the range. */
export function boundedInteger(name: string, value: unknown, min: number, max: number): number {
  const text = typeof value === 'number' ? String(value) : value;
  const isInteger = typeof text === 'string' && /^\d{1,9}$/.test(text);
  const number = isInteger ? Number(text) : NaN;
  if (number >= min && number <= max) return number;
  throw queryProblem(`${name} is ${shown(value)}, not a whole number from ${min} to ${max}`);
}
