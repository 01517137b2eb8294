import type { VirtualTable } from './schema-catalog.ts';
import { isKeyword, isSymbol, sqlTokens } from './sql-tokens.ts';

/** What a CREATE VIRTUAL TABLE declares; undefined if the text is another statement. */
export function declaredVirtualTable(
  schema: string,
  name: string,
  sql: string,
): VirtualTable | undefined {
  const tokens = sqlTokens(sql);
  const using = tokens.findIndex((token) => isKeyword(token, 'USING'));
  const module = tokens[using + 1];
  if (!isKeyword(tokens[1], 'VIRTUAL') || using < 0 || module === undefined) return undefined;
  const declared = { schema, name, module: module.text.toLowerCase() };
  const options: string[] = [];
  let depth = 0;
  let from = 0;
  for (const token of tokens.slice(using + 2)) {
    if (isSymbol(token, '(')) depth += 1;
    const ends = isSymbol(token, ')') ? depth === 1 : isSymbol(token, ',') && depth === 1;
    if (ends) options.push(sql.slice(from, token.start));
    if (isSymbol(token, ')')) depth -= 1;
    if (ends || (isSymbol(token, '(') && depth === 1)) from = token.end;
  }
  return { ...declared, options };
}
