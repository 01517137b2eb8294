import type { SqliteValue } from '@sluice/model';
import type { SeededRandom } from '@sluice/testing';
import { randomJson, randomPath, randomStep } from '../random-json.ts';
import { call, type Category, type Generator } from './generator.ts';
import { tree, type SqlTree } from './sql-tree.ts';

/** Functions and operators on JSON. */
export const JSON_CATEGORIES: readonly Category[] = [
  { name: 'json operators', generate: member },
  { name: 'json functions', generate: jsonFunction },
  { name: 'json elements', generate: elements },
];

function member(g: Generator): SqlTree {
  if (g.edition === 4) {
    const step = g.random.chance(0.8) ? g.literal(usable(randomStep, g.random)) : g.closed();
    return tree(`# ${g.random.pick(['->', '->>'])} #`, document(g), step);
  }
  const step = g.random.chance(0.5) ? g.literal(BigInt(g.random.int(4))) : tree("'a'");
  return tree(`# ${g.random.pick(['->', '->>'])} #`, document(g), step);
}

/** JSON text, mostly. */
function document(g: Generator): SqlTree {
  const kind = g.random.next();
  if (kind < 0.5) return tree('j');
  return kind < 0.8 ? g.literal(jsonText(g.random)) : g.closed();
}

function jsonFunction(g: Generator): SqlTree {
  const path = () => (g.random.chance(0.9) ? g.literal(usable(randomPath, g.random)) : g.closed());
  const form = g.random.next();
  if (form < 0.3 || g.edition === 3) {
    return call('json_extract', [document(g), path()]);
  }
  if (form < 0.4) return call('json_extract', [document(g), path(), path()]);
  if (form < 0.5) return call(g.random.pick(['json', 'json_valid']), [document(g)]);
  if (form < 0.7) {
    const name = g.random.pick(['json_array_length', 'json_type']);
    return call(name, g.random.chance(0.5) ? [document(g)] : [document(g), path()]);
  }
  if (form < 0.75) return call('json_quote', [g.closed()]);
  if (form < 0.9) return call('json_array', g.several(0, 3));
  return call('json_object', [g.text(), g.closed(), g.text(), document(g)]);
}

/** `x IN json` stands for the elements of json_each. */
function elements(g: Generator): SqlTree {
  const not = g.random.chance(0.3) ? 'NOT ' : '';
  const text = g.random.chance(0.5) ? 'j' : `'${jsonText(g.random).replaceAll("'", "''")}'`;
  const right = { ours: text, sqlite: `(SELECT value FROM json_each(${text}))` };
  return { parts: ['(', g.operand(), ` ${not}IN `, right, ')'] };
}

/** Without halves of surrogate pairs, which are not text here. */
export function jsonText(random: SeededRandom): string {
  for (;;) {
    const text = randomJson(random);
    const isHalf = /\\u[dD]83[dD](?!\\u[dD][eE]00)|(?<!\\u[dD]83[dD])\\u[dD][eE]00/.test(text);
    if (!isHalf && !text.includes('\0')) return text;
  }
}

function usable(make: (random: SeededRandom) => SqliteValue, random: SeededRandom): SqliteValue {
  for (;;) {
    const value = make(random);
    if (typeof value !== 'string' || !value.includes('\0')) return value;
  }
}
