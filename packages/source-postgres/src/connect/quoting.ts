import pg from 'pg';

/** Quotes text as a string constant; for statements that take no parameters. */
export function quoteLiteral(text: string): string {
  return pg.escapeLiteral(text).trimStart();
}

export function quoteName(name: string): string {
  return pg.escapeIdentifier(name);
}

export function quoteTable(table: { readonly schema: string; readonly name: string }): string {
  return `${quoteName(table.schema)}.${quoteName(table.name)}`;
}
