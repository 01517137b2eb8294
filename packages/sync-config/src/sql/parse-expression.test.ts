import { parse, type Expr } from 'pgsql-ast-parser';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, it } from 'vitest';
import { parseQuery } from './parse-select.ts';
import type { ExprSyntax } from './syntax.ts';

// spec/sync-config.md 3.3 takes its precedence from pgsql-ast-parser: it serves as an oracle here.

describe('expressions', () => {
  it.each([
    ['NOT a = b', '(not (= a b))'],
    ["1 + 2 || 'a'", "(|| (+ 1 2) 'a')"],
    ["j ->> 'x' = 1", "(= (->> j 'x') 1)"],
    ['a IN b AND c', '(and (in a b) c)'],
    ['a = b IS NULL', '(= a (is null b))'],
    ['a BETWEEN 1 AND 2 OR b', '(or (between a 1 2) b)'],
    ['a - -1', '(- a -1)'],
    ['a -1', '(- a 1)'],
    ['-a::text', '(- (cast a))'],
  ])('%s is %s', (sql, expected) => {
    expect(ours(sql)).toBe(expected);
  });

  it('bind as the oracle says', () => {
    const seed = 20_261_121;
    const random = new SeededRandom(seed);
    for (let i = 0; i < 400; i++) {
      const sql = randomExpression(random, 4);
      expect({ seed, sql, tree: ours(sql) }).toEqual({ seed, sql, tree: theirs(sql) });
    }
  });

  it('keep integers exact and names as written', () => {
    const { select } = parseQuery('SELECT 9007199254740993, Ab, "Ab"');
    const exprs = select.columns.map((column) =>
      column.kind === 'expr' ? column.expr : undefined,
    );
    expect(exprs).toMatchObject([
      { value: 9007199254740993n },
      { parts: [{ name: 'ab', raw: 'Ab', quoted: false }] },
      { parts: [{ name: 'Ab', quoted: true }] },
    ]);
  });

  it.each([
    ["SELECT 'it''s' AS a", "it's"],
    ["SELECT E'a\\nb' AS a", 'a\nb'],
    ['SELECT .5 AS a', 0.5],
    ['SELECT -5 AS a', -5n],
    ['SELECT /* x /* y */ */ 1 -- z', 1n],
    ['SELECT 1e3', 1n],
    ['SELECT TRUE', 1n],
  ])('reads the literal of %s', (sql, value) => {
    const [column] = parseQuery(sql).select.columns;
    expect(column).toMatchObject({ expr: { kind: 'literal', value } });
  });
});

function ours(sql: string): string {
  const [column] = parseQuery(`SELECT ${sql}`).select.columns;
  return column?.kind === 'expr' ? show(column.expr) : '';
}

function show(expr: ExprSyntax): string {
  switch (expr.kind) {
    case 'literal':
      return typeof expr.value === 'string' ? `'${expr.value}'` : String(expr.value);
    case 'name':
      return expr.parts.map(({ name }) => name).join('.');
    case 'unary':
      return `(${expr.operator} ${show(expr.operand)})`;
    case 'binary':
      return `(${expr.operator} ${show(expr.left)} ${show(expr.right)})`;
    case 'is':
      return `(is ${expr.negated ? 'not ' : ''}${expr.what} ${show(expr.operand)})`;
    case 'between':
      return `(between ${show(expr.operand)} ${show(expr.low)} ${show(expr.high)})`;
    case 'in':
      return `(${expr.negated ? 'not ' : ''}in ${show(expr.operand)} ${show(expr.right)})`;
    case 'cast':
      return `(cast ${show(expr.operand)})`;
    case 'call':
    case 'like':
    case 'collate':
    case 'case':
    case 'array':
    case 'select':
    case 'exists':
    case 'quantified':
    case 'typed text':
    case 'unsupported':
    case 'broken':
      return expr.kind;
  }
}

function theirs(sql: string): string {
  const [statement] = parse(`SELECT ${sql}`);
  if (statement?.type !== 'select') return '';
  const expr = statement.columns?.[0]?.expr;
  return expr === undefined ? '' : showTheirs(expr);
}

function showTheirs(expr: Expr): string {
  if (expr.type === 'ref') return expr.name;
  if (expr.type === 'integer') return String(expr.value);
  if (expr.type === 'string') return `'${expr.value}'`;
  if (expr.type === 'unary') return `(${expr.op.toLowerCase()} ${showTheirs(expr.operand)})`;
  if (expr.type === 'member') return `(${expr.op} ${showTheirs(expr.operand)} '${expr.member}')`;
  if (expr.type === 'cast') return `(cast ${showTheirs(expr.operand)})`;
  if (expr.type === 'binary') {
    return `(${expr.op.toLowerCase()} ${showTheirs(expr.left)} ${showTheirs(expr.right)})`;
  }
  if (expr.type === 'ternary') {
    return `(between ${[expr.value, expr.lo, expr.hi].map(showTheirs).join(' ')})`;
  }
  return expr.type;
}

const BINARY = ['AND', 'OR', '=', '!=', '<', '>=', '+', '-', '||', '*', '/', 'IN', '&&', '%', '<<'];

function randomExpression(random: SeededRandom, depth: number): string {
  const operator = () => random.pick(BINARY);
  const operand = () => randomExpression(random, depth - 1);
  if (depth === 0 || random.chance(0.2)) return random.pick(['a', 'b', '1', "'t'"]);
  const form = random.next();
  if (form < 0.1) return `a ->> 'k' ${operator()} ${operand()}`;
  if (form < 0.2) return `(${operand()})`;
  if (form < 0.25) return `${operand()} BETWEEN b AND 1`;
  if (form < 0.3) return `b::text ${operator()} ${operand()}`;
  return `${operand()} ${operator()} ${operand()}`;
}
