import type { JsonValue } from '@sluice/base';

/**
 * The id of a user as text, from the claim `sub` (spec/protocol.md 7.1.7): booleans count as 1 and 0,
 * objects and arrays as JSON text, null as `null`.
 */
export function subjectText(subject: JsonValue | undefined): string {
  if (typeof subject === 'string') return subject;
  if (typeof subject === 'boolean') return subject ? '1' : '0';
  return JSON.stringify(subject ?? null);
}
