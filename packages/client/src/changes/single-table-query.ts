import { isKeyword, isSymbol, type Token } from './sql-tokens.ts';

/** A query over one table, cut apart. */
export interface SingleTableQuery {
  /** In lower case. */
  readonly table: string;
  /** What qualifies its columns, in lower case. */
  readonly qualifier: string;
  readonly where: readonly Token[];
}

/** Words with which a query reads more than the rows of one table, or another way. */
const ELSEWHERE = [
  ['WITH', 'UNION', 'INTERSECT', 'EXCEPT', 'VALUES', 'JOIN', 'EXISTS'],
  ['MATCH', 'REGEXP', 'RAISE'],
].flat();
const AFTER_WHERE = ['GROUP', 'HAVING', 'WINDOW', 'ORDER', 'LIMIT'];
/** Words that may stand before a parenthesis without being a function. */
const NOT_FUNCTIONS = [
  ['AND', 'OR', 'NOT', 'IN', 'BETWEEN', 'LIKE', 'GLOB', 'IS', 'CASE', 'WHEN', 'THEN', 'ELSE'],
  ['WHERE', 'ESCAPE', 'DISTINCT', 'FROM'],
].flat();
/** Functions that never fail, whatever a row holds: an error in a row outside the result would be a change too. */
const SAFE_FUNCTIONS = [
  ['LOWER', 'UPPER', 'LENGTH', 'TRIM', 'LTRIM', 'RTRIM', 'SUBSTR', 'SUBSTRING', 'INSTR'],
  ['COALESCE', 'IFNULL', 'NULLIF', 'IIF', 'TYPEOF', 'ROUND', 'DATE', 'TIME', 'DATETIME'],
  ['JULIANDAY', 'UNIXEPOCH', 'STRFTIME'],
].flat();

/** Undefined unless the query's result is certainly made of the rows of one table that fulfil its WHERE. */
export function singleTableQuery(tokens: readonly Token[]): SingleTableQuery | undefined {
  const selects = tokens.filter((token) => isKeyword(token, 'SELECT')).length;
  if (selects !== 1 || !isKeyword(tokens[0], 'SELECT')) return undefined;
  if (tokens.some((token) => isKeyword(token, ...ELSEWHERE))) return undefined;
  if (tokens.some((token, at) => isKeyword(token, 'IN') && !isSymbol(tokens[at + 1], '('))) {
    return undefined;
  }
  const depths = depthsOf(tokens);
  const from = tokens.findIndex((token, at) => depths[at] === 0 && isKeyword(token, 'FROM'));
  const where = tokens.findIndex((token, at) => depths[at] === 0 && isKeyword(token, 'WHERE'));
  if (from < 0 || where < from || isKeyword(tokens[from - 1], 'DISTINCT')) return undefined;
  const source = tableAndAlias(tokens.slice(from + 1, where));
  if (source === undefined) return undefined;
  const end = tokens.findIndex((token, at) => at > where && depths[at] === 0 && endsWhere(token));
  const condition = tokens.slice(where + 1, end < 0 ? undefined : end);
  return mayFail(condition) ? undefined : { ...source, where: condition };
}

function endsWhere(token: Token): boolean {
  return isKeyword(token, ...AFTER_WHERE) || isSymbol(token, ';');
}

/** How many parentheses are open around each token. */
function depthsOf(tokens: readonly Token[]): readonly number[] {
  let depth = 0;
  return tokens.map((token) => {
    if (isSymbol(token, ')')) depth -= 1;
    const here = depth;
    if (isSymbol(token, '(')) depth += 1;
    return here;
  });
}

/** `name`, `name alias` or `name AS alias`. */
function tableAndAlias(
  tokens: readonly Token[],
): Pick<SingleTableQuery, 'table' | 'qualifier'> | undefined {
  const names = tokens.filter((token, at) => !(at === 1 && isKeyword(token, 'AS')));
  const [table, alias] = names;
  if (table === undefined || names.length > 2) return undefined;
  if (names.some(({ kind }) => kind !== 'word' && kind !== 'quoted')) return undefined;
  const name = table.text.toLowerCase();
  return { table: name, qualifier: alias?.text.toLowerCase() ?? name };
}

function mayFail(condition: readonly Token[]): boolean {
  return condition.some((token, at) => {
    if (isSymbol(token, '->', '->>')) return true;
    const before = condition[at - 1];
    const isCall = isSymbol(token, '(') && (before?.kind === 'word' || before?.kind === 'quoted');
    return isCall && !isKeyword(before, ...NOT_FUNCTIONS, ...SAFE_FUNCTIONS);
  });
}
