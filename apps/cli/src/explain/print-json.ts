import type { Screen } from '../terminal/screen.ts';

/** For tools: everything that was found out, as one JSON document. Sets become lists. */
export function printJson(screen: Screen, value: unknown): void {
  screen.print(JSON.stringify(value, plain, 2));
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Set) return [...value] as unknown[];
  if (value instanceof Map) return Object.fromEntries(value) as unknown;
  return value;
}
