import type { FilterTerm, FilterTest, Operand, RowFilter } from './row-filter.ts';
import { changeName, type CatalogTable } from './schema-catalog.ts';
import { singleTableQuery } from './single-table-query.ts';
import { isKeyword, isSymbol, parameterIndexes, sqlTokens, type Token } from './sql-tokens.ts';
import { affinityOf, type Affinity, type ComparisonOperator } from './sqlite-comparison.ts';

/**
 * The conditions of a query over one table that can be tried on a row without SQLite: of a WHERE that is a conjunction,
 * those parts that compare a column with literals or parameters (`=`, `<>`, ranges, BETWEEN, IN, IS, IS NULL). Other parts
 * are left out, as a row must fulfil all of them. Undefined if there is no such condition, or if the query has any
 * other form.
 */
export function parseRowFilter(sql: string, table: CatalogTable): RowFilter | undefined {
  const tokens = sqlTokens(sql);
  const query = singleTableQuery(tokens);
  if (query === undefined || query.table !== table.name) return undefined;
  const reader = new TermReader(table, query.qualifier, parameterIndexes(tokens));
  const terms = conjuncts(query.where).flatMap((part) => reader.terms(part));
  return terms.length === 0 ? undefined : { table: changeName(table), terms };
}

/** The parts that AND joins; the whole, if an OR may join them. */
function conjuncts(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const bare = withoutParentheses(tokens);
  const parts: Token[][] = [[]];
  let depth = 0;
  let betweens = 0;
  for (const token of bare) {
    if (isSymbol(token, '(') || isKeyword(token, 'CASE')) depth += 1;
    if (isSymbol(token, ')') || isKeyword(token, 'END')) depth -= 1;
    if (depth === 0 && isKeyword(token, 'OR')) return [bare];
    if (depth === 0 && isKeyword(token, 'BETWEEN')) betweens += 1;
    if (depth === 0 && isKeyword(token, 'AND') && betweens === 0) {
      parts.push([]);
      continue;
    }
    if (depth === 0 && isKeyword(token, 'AND')) betweens -= 1;
    parts.at(-1)?.push(token);
  }
  return parts.length === 1 ? [bare] : parts.flatMap((part) => conjuncts(part));
}

function withoutParentheses(tokens: readonly Token[]): readonly Token[] {
  if (!isSymbol(tokens[0], '(') || !isSymbol(tokens.at(-1), ')')) return tokens;
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    if (isSymbol(token, '(')) depth += 1;
    if (isSymbol(token, ')')) depth -= 1;
    if (depth === 0 && at < tokens.length - 1) return tokens;
  }
  return withoutParentheses(tokens.slice(1, -1));
}

const OPERATORS: ReadonlyMap<string, ComparisonOperator> = new Map([
  ['=', '='],
  ['==', '='],
  ['!=', '!='],
  ['<>', '!='],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
]);
const MIRRORED: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};
const MAX_INTEGER = 2n ** 63n - 1n;

/** Reads one part of a conjunction; what is not exactly of a known form gives no term. */
class TermReader {
  readonly #columns: ReadonlyMap<string, Affinity>;
  readonly #names: ReadonlySet<string>;
  readonly #qualifier: string;
  readonly #parameters: ReadonlyMap<Token, number>;

  constructor(table: CatalogTable, qualifier: string, parameters: ReadonlyMap<Token, number>) {
    this.#names = new Set(table.columns.map(({ name }) => name));
    this.#columns = comparableColumns(table);
    this.#qualifier = qualifier;
    this.#parameters = parameters;
  }

  terms(tokens: readonly Token[]): readonly FilterTerm[] {
    const left = this.#column(tokens);
    if (left === undefined) return this.#mirrored(tokens);
    const { affinity, rest } = left;
    return this.#tests(rest).map((test) => ({ column: left.column, affinity, test }));
  }

  /** `value operator column`. */
  #mirrored(tokens: readonly Token[]): readonly FilterTerm[] {
    const at = tokens.findIndex((token) => operatorOf(token) !== undefined);
    const operator = operatorOf(tokens[at]);
    const operand = this.#operand(tokens.slice(0, Math.max(0, at)));
    const right = this.#column(tokens.slice(at + 1));
    if (operator === undefined || operand === undefined || right?.rest.length !== 0) return [];
    const { column, affinity } = right;
    const test = { kind: 'compare', operator: MIRRORED[operator], operand } as const;
    return [{ column, affinity, test }];
  }

  #column(
    tokens: readonly Token[],
  ):
    | { readonly column: string; readonly affinity: Affinity; readonly rest: readonly Token[] }
    | undefined {
    const qualified = isSymbol(tokens[1], '.');
    if (qualified && tokens[0]?.text.toLowerCase() !== this.#qualifier) return undefined;
    const token = tokens[qualified ? 2 : 0];
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return undefined;
    const column = token.text.toLowerCase();
    const affinity = this.#columns.get(column);
    if (affinity === undefined) return undefined;
    return { column, affinity, rest: tokens.slice(qualified ? 3 : 1) };
  }

  /** What is said of a column. */
  #tests(tokens: readonly Token[]): readonly FilterTest[] {
    const [first] = tokens;
    const operator = operatorOf(first);
    if (operator !== undefined) return this.#comparison(operator, tokens.slice(1));
    if (isKeyword(first, 'IN')) return this.#list(tokens.slice(1));
    if (isKeyword(first, 'BETWEEN')) return this.#range(tokens.slice(1));
    const words = tokens.map(({ kind, text }) => (kind === 'word' ? text.toUpperCase() : '?'));
    const phrase = words.join(' ');
    if (phrase === 'IS NULL' || phrase === 'ISNULL') return [{ kind: 'null', isNull: true }];
    if (['IS NOT NULL', 'NOT NULL', 'NOTNULL'].includes(phrase)) {
      return [{ kind: 'null', isNull: false }];
    }
    // IS TRUE and IS FALSE ask for something else than equality.
    if (words[0] !== 'IS' || /^IS (?:TRUE|FALSE)$/.test(phrase)) return [];
    const operand = this.#operand(tokens.slice(1));
    return operand === undefined ? [] : [{ kind: 'is', operand }];
  }

  #comparison(operator: ComparisonOperator, tokens: readonly Token[]): readonly FilterTest[] {
    const operand = this.#operand(tokens);
    return operand === undefined ? [] : [{ kind: 'compare', operator, operand }];
  }

  #list(tokens: readonly Token[]): readonly FilterTest[] {
    if (!isSymbol(tokens[0], '(') || !isSymbol(tokens.at(-1), ')')) return [];
    const inner = tokens.slice(1, -1);
    if (inner.length === 0) return [{ kind: 'in', operands: [] }];
    const items: Token[][] = [[]];
    for (const token of inner) {
      if (isSymbol(token, ',')) items.push([]);
      else items.at(-1)?.push(token);
    }
    const operands = items.map((item) => this.#operand(item)).filter((it) => it !== undefined);
    return operands.length === items.length ? [{ kind: 'in', operands }] : [];
  }

  #range(tokens: readonly Token[]): readonly FilterTest[] {
    const and = tokens.findIndex((token) => isKeyword(token, 'AND'));
    const low = this.#comparison('>=', tokens.slice(0, Math.max(0, and)));
    const high = this.#comparison('<=', tokens.slice(and + 1));
    return low.length === 0 || high.length === 0 ? [] : [...low, ...high];
  }

  /** A parameter or literal, and nothing else. */
  #operand(tokens: readonly Token[]): Operand | undefined {
    const signed = isSymbol(tokens[0], '-', '+');
    const token = tokens[signed ? 1 : 0];
    if (token === undefined || tokens.length !== (signed ? 2 : 1)) return undefined;
    if (token.kind === 'number') {
      const literal = numberOf(token.text, isSymbol(tokens[0], '-'));
      return literal === undefined ? undefined : { literal };
    }
    if (signed) return undefined;
    if (token.kind === 'string') return { literal: token.text };
    if (token.kind === 'parameter') return { parameter: this.#parameters.get(token) ?? -1 };
    if (isKeyword(token, 'NULL')) return { literal: null };
    if (this.#names.has(token.text.toLowerCase())) return undefined;
    if (isKeyword(token, 'TRUE')) return { literal: 1n };
    return isKeyword(token, 'FALSE') ? { literal: 0n } : undefined;
  }
}

/**
 * Columns whose comparisons are known by their affinity. None if the table has collations: which of its columns
 * they are for is not told.
 */
function comparableColumns({ columns, sql }: CatalogTable): ReadonlyMap<string, Affinity> {
  const collated = sqlTokens(sql).some((token) => isKeyword(token, 'COLLATE'));
  const known = new Map<string, Affinity>();
  for (const { name, declaredType, generated } of columns) {
    const affinity = affinityOf(declaredType);
    if (affinity !== undefined && !generated && !collated) known.set(name, affinity);
  }
  return known;
}

function operatorOf(token: Token | undefined): ComparisonOperator | undefined {
  return token?.kind === 'symbol' ? OPERATORS.get(token.text) : undefined;
}

function numberOf(text: string, negative: boolean): number | bigint | undefined {
  if (text.includes('_') || /^0x/i.test(text)) return undefined;
  if (/[.e]/i.test(text)) return negative ? -Number(text) : Number(text);
  const integer = BigInt(text);
  if (integer > MAX_INTEGER) return undefined;
  return negative ? -integer : integer;
}
