import type { SeededRandom } from '@sluice/testing';
import type { ClientSchema, ClientType } from '../client-schema/client-schema.ts';

/** Separated by blanks: pieces of names, and names that mean something in one of the languages. */
const PARTS = [
  ...'a b list List item URL x1 2 _ __ - . / \\ \' " ` $ ${x} \\(x) { ] ( ; -- */ // % # @'.split(
    ' ',
  ),
  ...'ß größe жук 木 😀 é'.split(' '),
  ' ',
  '\n',
  '\u0000',
  '\u2028',
  '\u202e',
  '\ud800',
];
const WHOLE = (
  'class new Object String Schema Table column Column AppSchema db __proto__ constructor select ' +
  'order type in default hashCode Query'
).split(' ');
const TYPES: readonly ClientType[] = ['text', 'integer', 'real'];

/** Any schema that could come out of a config, with names chosen to break the formats. */
export function randomSchema(random: SeededRandom): ClientSchema {
  return {
    tables: uniqueNames(random, 4).map((name) => ({
      name,
      columns: uniqueNames(random, 5).map((column) => ({
        name: column,
        type: random.pick(TYPES),
        types: 0,
      })),
    })),
    streams: uniqueNames(random, 3).map((name) => ({
      name,
      parameters: uniqueNames(random, 3).map((parameter) => {
        const type = random.pick([...TYPES, 'any'] as const);
        return { name: parameter, type, isList: type !== 'any' && random.chance(0.3) };
      }),
    })),
  };
}

/** Different also where SQLite looks only at the letters. */
function uniqueNames(random: SeededRandom, max: number): readonly string[] {
  const byKey = new Map<string, string>();
  for (let i = random.int(max + 1); i > 0; i--) {
    const name = randomName(random);
    if (name.toLowerCase() !== 'id') byKey.set(name.toLowerCase(), name);
  }
  return [...byKey.values()];
}

function randomName(random: SeededRandom): string {
  if (random.chance(0.3)) return random.pick(WHOLE);
  return Array.from({ length: 1 + random.int(4) }, () => random.pick(PARTS)).join('');
}
