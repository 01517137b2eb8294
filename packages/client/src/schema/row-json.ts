import type { CompiledColumn } from './compiled-schema.ts';
import { joinTerms, quoteName, quoteText } from './sql-text.ts';

/**
 * SQL for the JSON text of a value, exact for every value: SQLite prints NULL, integers and text itself,
 * `sluice_json` (sql-functions.ts) reals and blobs.
 */
function valueJson(value: string): string {
  return `CASE WHEN typeof(${value}) IN ('real', 'blob') THEN sluice_json(${value}) ELSE json_quote(${value}) END`;
}

/** Entries name columns in alphabetical order. */
export function byName(columns: readonly CompiledColumn[]): readonly CompiledColumn[] {
  return columns.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * SQL for a JSON object of the columns that are not null, in alphabetical order: `{"a":1,"b":"x"}`.
 * `row` is what the columns are read from: NEW, OLD or the alias of a table.
 */
export function presentColumnsJson(columns: readonly CompiledColumn[], row: string): string {
  return objectJson(
    byName(columns).map(({ name }) => ({
      name,
      value: `${row}.${quoteName(name)}`,
      when: `${row}.${quoteName(name)} IS NOT NULL`,
    })),
  );
}

export interface JsonMember {
  readonly name: string;
  /** SQL of its value. */
  readonly value: string;
  /** SQL that says whether it is there; undefined if it always is. */
  readonly when: string | undefined;
}

/** SQL for a JSON object, members in the order given. */
export function objectJson(members: readonly JsonMember[]): string {
  if (members.length === 0) return `'{}'`;
  const parts = members.map(({ name, value, when }) => {
    const member = `${quoteText(`,${JSON.stringify(name)}:`)} || ${valueJson(value)}`;
    return when === undefined ? member : `CASE WHEN ${when} THEN ${member} ELSE '' END`;
  });
  return `'{' || substr(${joinTerms('||', parts)}, 2) || '}'`;
}
