import { bytesOf } from './target.ts';

const LEVELS = 100_000;

/** `wrap` puts a value into the place of a valid document where anything may stand. */
export function jsonBombs(wrap: (value: string) => string): Readonly<Record<string, Uint8Array>> {
  const texts = {
    'nested objects': `${'{"a":'.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`,
    'nested lists': `${'['.repeat(LEVELS)}${']'.repeat(LEVELS)}`,
    'open lists': '['.repeat(LEVELS),
    'a long number': '9'.repeat(LEVELS),
    'a number without end': '1e999999',
    'a wide object': `{${Array.from({ length: 50_000 }, (_, at) => `"k${at}":0`).join()}}`,
    'a prototype': '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}',
    'half a surrogate pair': '{"a":"\\ud800"}',
  };
  return Object.fromEntries(
    Object.entries(texts).map(([name, value]) => [name, bytesOf(wrap(value))]),
  );
}
