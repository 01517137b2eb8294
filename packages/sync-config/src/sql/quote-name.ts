import { RESERVED_WORDS } from './reserved-words.ts';

/** A name as it must be written to be read as it is. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED_WORDS.has(name) ? name : `"${name}"`;
}
