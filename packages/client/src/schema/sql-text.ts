/** Pieces of SQL text. What they build is compared with the text in `sqlite_schema`, so it never varies. */

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal. SQLite ends SQL at a NUL character, so there can be none in it. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The terms joined by an operator as a balanced tree, as SQLite bounds the depth of expressions (1,000). */
export function joinTerms(operator: string, terms: readonly string[]): string {
  if (terms.length <= 8) return terms.join(` ${operator} `);
  const middle = terms.length >> 1;
  const halves = [terms.slice(0, middle), terms.slice(middle)];
  return halves.map((half) => `(${joinTerms(operator, half)})`).join(` ${operator} `);
}
