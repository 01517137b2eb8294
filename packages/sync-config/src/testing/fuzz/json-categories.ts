import type { SqliteValue } from '@sluice/model';
import type { SeededRandom } from '@sluice/testing';
import { randomJsonForSql, randomPath, randomStep } from '../random-json.ts';
import { call, type Category, type Generator } from './generator.ts';
import { tree, type SqlTree } from './sql-tree.ts';

/** Functions and operators on JSON. */
export const JSON_CATEGORIES: readonly Category[] = [
  { name: 'json operators', generate: member },
  { name: 'json functions', generate: jsonFunction },
  { name: 'json elements', generate: elements },
  { name: 'json marks', generate: (g) => (g.edition === 3 ? undefined : making(g)) },
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
  return kind < 0.8 ? g.literal(randomJsonForSql(g.random)) : g.closed();
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
  const text = g.random.chance(0.5) ? 'j' : `'${randomJsonForSql(g.random).replaceAll("'", "''")}'`;
  const right = { ours: text, sqlite: `(SELECT value FROM json_each(${text}))` };
  return { parts: ['(', g.operand(), ` ${not}IN `, right, ')'] };
}

/** Functions that see whether SQLite has marked their arguments as JSON. */
function making(g: Generator): SqlTree {
  const form = g.random.next();
  if (form < 0.15) return call('json_quote', [marked(g, 3)]);
  const items = Array.from({ length: 1 + g.random.int(3) }, () => marked(g, 3));
  if (form < 0.7) return call('json_array', items);
  const members = items.flatMap((item) => [g.text(), item]);
  return call('json_object', members);
}

/** What may be marked, through an operator that keeps the mark or does not. */
function marked(g: Generator, depth: number): SqlTree {
  if (depth === 0 || g.random.chance(0.4)) return markSource(g);
  const inner = () => marked(g, depth - 1);
  const [sql, count] = g.random.pick(KEEPERS);
  if (sql === 'json') return making(g);
  return tree(sql, ...Array.from({ length: count }, inner));
}

/** Forms, and how many operands they have. Not COLLATE, which columns of subqueries may not have. */
const KEEPERS: readonly (readonly [sql: string, count: number])[] = [
  ['CASE WHEN # THEN # ELSE # END', 3], ['CASE # WHEN # THEN # WHEN # THEN # END', 5], ['CASE # WHEN # THEN # ELSE # END', 4],
  ['iif(#, #, #)', 3], ['if(#, #)', 2], ['coalesce(#, #)', 2], ['ifnull(#, #)', 2], ['nullif(#, #)', 2],
  ['min(#, #, #)', 3], ['max(#, #)', 2], ['(+#)', 1],
  ['CAST(# AS TEXT)', 1], ['CAST(# AS NUMERIC)', 1], ['replace(#, #, #)', 3], ["(# || '')", 1], ['json', 0],
]; // prettier-ignore

function markSource(g: Generator): SqlTree {
  const kind = g.random.next();
  if (kind < 0.3) return call('json', [document(g)]);
  if (kind < 0.6) return tree('(#)', member(g));
  return kind < 0.75 ? jsonFunction(g) : g.random.chance(0.5) ? document(g) : g.closed();
}

function usable(make: (random: SeededRandom) => SqliteValue, random: SeededRandom): SqliteValue {
  for (;;) {
    const value = make(random);
    if (typeof value !== 'string' || !value.includes('\0')) return value;
  }
}
