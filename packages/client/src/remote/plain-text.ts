/**
 * Plain data as JSON text and back, with what JSON lacks of SQLite's values: integers beyond 2^53 (`{"$":"123"}`), bytes
 * (`{"$x":"00ff"}`), numbers that are not finite (`{"$n":"-Infinity"}`) and undefined (`{"$u":1}`). For data whose own keys do not begin with `$`.
 */
export function formatPlain(value: unknown): string {
  return JSON.stringify(tagged(value));
}

export function parsePlain(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => (isTagged(value) ? untagged(value) : value));
}

function tagged(value: unknown): unknown {
  if (value === undefined) return { $u: 1 };
  if (typeof value === 'bigint') return { $: String(value) };
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return { $n: '-0' };
    return Number.isFinite(value) ? value : { $n: String(value) };
  }
  if (value instanceof Uint8Array) return { $x: hex(value) };
  if (Array.isArray(value)) return value.map(tagged);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tagged(item)]));
}

function isTagged(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0]?.startsWith('$') === true;
}

function untagged(value: Readonly<Record<string, unknown>>): unknown {
  if ('$' in value) return BigInt(String(value.$));
  if ('$n' in value) return Number(value.$n);
  if ('$x' in value) return bytes(String(value.$x));
  return undefined;
}

function hex(value: Uint8Array): string {
  return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
