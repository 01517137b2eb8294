import { queryProblem } from './query-problem.ts';
import type { Ordering } from './row-query.ts';

/** The values of the order's columns, as PostgreSQL writes them. */
export type CursorValues = readonly (string | null)[];

/** Opaque to callers, who give it back as they got it; it holds nothing that they have not seen. */
export function encodeCursor(order: readonly Ordering[], values: CursorValues): string {
  const text = JSON.stringify([orderText(order), ...values]);
  return Buffer.from(text).toString('base64url');
}

/** @throws AppError for one that is not ours, or of another order. */
export function decodeCursor(cursor: string, order: readonly Ordering[]): CursorValues {
  const [own, ...values] = parsed(cursor);
  if (own !== orderText(order)) throw queryProblem('after is of a query in another order');
  if (values.length !== order.length || !values.every(isValue)) throw notOurs();
  return values;
}

function parsed(cursor: string): readonly unknown[] {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (cause) {
    throw notOurs(cause);
  }
  if (!Array.isArray(content)) throw notOurs();
  return content;
}

function isValue(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function notOurs(cause?: unknown): Error {
  return queryProblem('after is not what an answer gave as next', cause);
}

function orderText(order: readonly Ordering[]): string {
  return JSON.stringify(order.map(({ column, descending }) => [column, descending ? 1 : 0]));
}
