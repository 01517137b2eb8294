import { call, type Category, type Generator } from './generator.ts';
import { tree, type SqlTree } from './sql-tree.ts';

const COMPARISONS = ['=', '!=', '<>', '<', '<=', '>', '>='] as const;

/** Operators and functions, without JSON and dates. */
export const CORE_CATEGORIES: readonly Category[] = [
  { name: 'arithmetic', generate: arithmetic },
  { name: 'bits', generate: (g) => (g.edition === 3 ? undefined : bits(g)) },
  { name: 'comparison', generate: comparison },
  { name: 'is', generate: is },
  { name: 'logic', generate: logic },
  { name: 'cast', generate: cast },
  { name: 'affinity', generate: affinity },
  { name: 'concat', generate: (g) => tree('# || #', g.operand(), g.operand()) },
  { name: 'like', generate: (g) => (g.edition === 3 ? undefined : like(g)) },
  { name: 'collate', generate: (g) => (g.edition === 3 ? undefined : collate(g)) },
  { name: 'in', generate: inList },
  { name: 'between', generate: between },
  { name: 'case', generate: caseWhen },
  { name: 'text functions', generate: textFunction },
  { name: 'number functions', generate: numberFunction },
  { name: 'choice functions', generate: choiceFunction },
  { name: 'literals', generate: literal },
];

function arithmetic(g: Generator): SqlTree {
  const sign = g.edition === 4 && g.random.chance(0.15);
  if (sign) return tree(`${g.random.pick(['-', '+', '- ', '-+'])}#`, g.closed());
  const operators = g.edition === 4 ? ['+', '-', '*', '/', '%'] : ['+', '-', '*', '/'];
  return tree(`# ${g.random.pick(operators)} #`, g.operand(), g.operand());
}

function bits(g: Generator): SqlTree {
  if (g.random.chance(0.2)) return tree('~#', g.closed());
  const right = g.random.chance(0.5) ? g.small() : g.operand();
  return tree(`# ${g.random.pick(['&', '|', '<<', '>>'])} #`, g.operand(), right);
}

function comparison(g: Generator): SqlTree {
  const operators = g.edition === 4 ? [...COMPARISONS, '=='] : COMPARISONS;
  return tree(`# ${g.random.pick(operators)} #`, g.operand(), g.operand());
}

function is(g: Generator): SqlTree {
  const not = g.random.chance(0.5) ? ' NOT' : '';
  if (g.edition === 3 || g.random.chance(0.5)) {
    return tree(`# IS${not} ${g.random.pick(['NULL', 'TRUE', 'FALSE'])}`, g.operand());
  }
  if (g.random.chance(0.2)) {
    return tree(`# ${g.random.pick(['ISNULL', 'NOTNULL', 'NOT NULL'])}`, g.operand());
  }
  const distinct = g.random.chance(0.3) ? ' DISTINCT FROM' : '';
  return tree(`# IS${not}${distinct} #`, g.operand(), g.operand());
}

function logic(g: Generator): SqlTree {
  if (g.random.chance(0.3)) return tree('NOT #', g.operand());
  return tree(`# ${g.random.pick(['AND', 'OR'])} #`, g.operand(), g.operand());
}

const TYPES = ['TEXT', 'INTEGER', 'REAL', 'NUMERIC', 'BLOB'] as const;

function cast(g: Generator): SqlTree {
  return tree(`CAST(# AS ${g.random.pick(TYPES)})`, g.operand());
}

/** Comparisons in which an operand has an affinity, which nothing but CAST gives. */
function affinity(g: Generator): SqlTree {
  const other = () => (g.random.chance(0.4) ? cast(g) : g.closed());
  const form = g.random.next();
  if (form < 0.5) return tree(`# ${g.random.pick(COMPARISONS)} #`, cast(g), other());
  if (form < 0.6) return tree(`# ${g.random.pick(COMPARISONS)} #`, g.closed(), cast(g));
  if (form < 0.7) return tree('# BETWEEN # AND #', other(), other(), other());
  if (form < 0.8) return tree('CASE # WHEN # THEN 1 WHEN # THEN 2 END', cast(g), other(), other());
  if (g.edition === 3) return tree('# = #', other(), other());
  if (form < 0.9) return tree('# IN (#, #)', cast(g), other(), other());
  return tree(`# IS #`, other(), other());
}

function like(g: Generator): SqlTree {
  const not = g.random.chance(0.3) ? 'NOT ' : '';
  const operand = g.random.chance(0.6) ? g.text() : g.operand();
  const pattern = g.random.chance(0.7) ? g.text() : g.closed();
  if (g.random.chance(0.4)) return tree(`# ${not}GLOB #`, operand, pattern);
  if (g.random.chance(0.6)) return tree(`# ${not}LIKE #`, operand, pattern);
  const escape = g.random.pick(["'!'", "'%'", "'_'", "'a'", "'\\'", 's']);
  return tree(`# ${not}LIKE # ESCAPE ${escape}`, operand, pattern);
}

function collate(g: Generator): SqlTree {
  const collated = () =>
    tree(`# COLLATE ${g.random.pick(['NOCASE', 'RTRIM', 'BINARY'])}`, g.closed());
  const either = () => (g.random.chance(0.5) ? collated() : g.text());
  const form = g.random.next();
  if (form < 0.5) return tree(`# ${g.random.pick([...COMPARISONS, 'IS'])} #`, either(), either());
  if (form < 0.6) return tree('# BETWEEN # AND #', either(), either(), either());
  if (form < 0.7) return tree('# IN (#, #)', either(), either(), either());
  if (form < 0.8)
    return tree('CASE # WHEN # THEN 1 WHEN # THEN 2 END', either(), either(), either());
  const name = g.random.pick(['min', 'max', 'nullif']);
  return call(name, [either(), either()]);
}

function inList(g: Generator): SqlTree {
  const not = g.random.chance(0.3) ? 'NOT ' : '';
  if (g.random.chance(0.3)) {
    const json = g.random.pick([`'[1,"a",null]'`, `'["5",2.5,true]'`, `'[]'`]);
    const right = { ours: json, sqlite: `(SELECT value FROM json_each(${json}))` };
    return { parts: ['(', g.operand(), ` ${not}IN `, right, ')'] };
  }
  const items = g.several(g.edition === 4 ? 0 : 1, 4);
  const list = items.map(() => '#').join(', ');
  // Without the sign, SQLite takes an empty list behind IS for the word FALSE.
  if (items.length === 0) return tree(`+(# ${not}IN ())`, g.operand());
  if (g.edition === 4) return tree(`# ${not}IN (${list})`, g.operand(), ...items);
  const { parts } = tree(list, ...items);
  const open = { ours: 'ARRAY[', sqlite: '(' };
  const close = { ours: ']', sqlite: ')' };
  return { parts: [g.operand(), ` ${not}IN `, open, ...parts, close] };
}

function between(g: Generator): SqlTree {
  const not = g.random.chance(0.3) ? 'NOT ' : '';
  return tree(`# ${not}BETWEEN # AND #`, g.operand(), g.closed(), g.operand());
}

function caseWhen(g: Generator): SqlTree {
  const count = 1 + g.random.int(3);
  const hasOperand = g.random.chance(0.5);
  const hasElse = g.random.chance(0.5);
  const branches = 'WHEN # THEN # '.repeat(count);
  const children = Array.from({ length: 2 * count + Number(hasOperand) + Number(hasElse) }, () =>
    g.operand(),
  );
  return tree(
    `CASE ${hasOperand ? '# ' : ''}${branches}${hasElse ? 'ELSE # ' : ''}END`,
    ...children,
  );
}

/** Functions by name, with the least and the greatest number of arguments. */
type Signature = readonly [name: string, least: number, most: number];

const TEXT_FUNCTIONS: readonly Signature[] = [
  ['upper', 1, 1], ['lower', 1, 1], ['length', 1, 1], ['instr', 2, 2], ['hex', 1, 1],
  ['octet_length', 1, 1], ['replace', 3, 3], ['trim', 1, 2], ['ltrim', 1, 2], ['rtrim', 1, 2],
  ['concat', 1, 4], ['concat_ws', 2, 4], ['char', 0, 3], ['unicode', 1, 1], ['unhex', 1, 2],
  ['quote', 1, 1], ['like', 2, 2], ['glob', 2, 2],
]; // prettier-ignore

const EDITION_3_TEXT_FUNCTIONS = new Set(['upper', 'lower', 'length', 'instr', 'hex']);

function textFunction(g: Generator): SqlTree {
  if (g.random.chance(0.25)) return substring(g);
  const known = TEXT_FUNCTIONS.filter(
    ([name]) => g.edition === 4 || EDITION_3_TEXT_FUNCTIONS.has(name),
  );
  const [name, least, most] = g.random.pick(known);
  const count = least + g.random.int(most - least + 1);
  const args = Array.from({ length: count }, () => (g.random.chance(0.5) ? g.text() : g.closed()));
  return call(name, args);
}

function substring(g: Generator): SqlTree {
  const name = g.edition === 4 ? g.random.pick(['substr', 'substring']) : 'substring';
  const source = g.random.chance(0.6) ? g.text() : g.closed();
  const numbers = g.random.chance(0.8) ? [g.small(), g.small()] : [g.closed(), g.closed()];
  return call(name, [source, ...numbers.slice(0, 1 + g.random.int(2))]);
}

const NUMBER_FUNCTIONS: readonly Signature[] = [
  ['abs', 1, 1], ['sign', 1, 1], ['round', 1, 2], ['ceil', 1, 1], ['ceiling', 1, 1], ['floor', 1, 1],
  ['trunc', 1, 1], ['mod', 2, 2], ['sqrt', 1, 1], ['radians', 1, 1], ['degrees', 1, 1], ['pi', 0, 0],
]; // prettier-ignore

function numberFunction(g: Generator): SqlTree | undefined {
  if (g.edition === 3) return undefined;
  const [name, least, most] = g.random.pick(NUMBER_FUNCTIONS);
  const count = least + g.random.int(most - least + 1);
  const args = Array.from({ length: count }, (_, i) => {
    if (name === 'round' && i === 1) return g.small();
    return g.random.chance(0.5) ? g.real() : g.closed();
  });
  return call(name, args);
}

const CHOICE_FUNCTIONS: readonly Signature[] = [
  ['typeof', 1, 1], ['coalesce', 2, 4], ['ifnull', 2, 2], ['iif', 2, 5], ['if', 2, 3], ['min', 2, 4],
  ['max', 2, 4], ['nullif', 2, 2],
]; // prettier-ignore

const EDITION_3_CHOICES: readonly Signature[] = [
  ['typeof', 1, 1],
  ['ifnull', 2, 2],
  ['iif', 3, 3],
];

function choiceFunction(g: Generator): SqlTree {
  const [name, least, most] = g.random.pick(g.edition === 4 ? CHOICE_FUNCTIONS : EDITION_3_CHOICES);
  return call(name, g.several(least, most));
}

const LITERALS = [
  '1e3', '.5', '5.', '1.5E-3', '0x1F', '0XfF', '1_000', '1_0.5_0', "x''", "X'6162'", '9223372036854775807',
  '9223372036854775808', '-9223372036854775808', '- 9223372036854775808', '-(9223372036854775808)',
  '-9223372036854775809', '0xffffffffffffffff', '1e400', '-1e400', 'TRUE',
  'false', 'NULL', "'it''s'", '-0.0', '-(0.0)', '- -0.0', '/* c */ 1', '"a"', 't1.b', '123456789012345678901234567890',
]; // prettier-ignore

function literal(g: Generator): SqlTree | undefined {
  if (g.edition === 3) return undefined;
  return tree('# #', tree(g.random.pick(['+', '-', '', 'NOT'])), tree(g.random.pick(LITERALS)));
}
