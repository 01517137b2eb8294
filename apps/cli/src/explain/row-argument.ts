import { AppError } from '@sluice/base';

/** Which row somebody means. */
export interface RowArgument {
  /** Undefined: the default schema. */
  readonly schema: string | undefined;
  readonly table: string;
  /** What follows the table: its key, or the values of columns. */
  readonly by:
    | { readonly kind: 'key'; readonly text: string; readonly separator: '/' | ':' }
    | { readonly kind: 'columns'; readonly values: ReadonlyMap<string, string> };
}

/**
 * `lists/42`, `public.lists:42`, `members/u1/l1` (a key of two columns) or `lists?name=Groceries`.
 *
 * @throws AppError `CLI_USAGE`
 */
export function parseRowArgument(text: string): RowArgument {
  const match = /^(?:([^./:?]+)\.)?([^./:?]+)([/:?])(.+)$/s.exec(text);
  const [, schema, table, separator, rest = ''] = match ?? [];
  if (table === undefined) throw unreadable(text);
  if (separator !== '?') {
    const by = { kind: 'key', text: rest, separator: separator === ':' ? ':' : '/' } as const;
    return { schema, table, by };
  }
  const values = new Map<string, string>();
  for (const part of rest.split('&')) {
    const equals = part.indexOf('=');
    if (equals <= 0) throw unreadable(text);
    values.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return { schema, table, by: { kind: 'columns', values } };
}

/**
 * The values of the key columns; a key of one column is taken whole, whatever it holds.
 *
 * @throws AppError `CLI_USAGE` when their number is another one.
 */
export function keyValues(
  by: Extract<RowArgument['by'], { kind: 'key' }>,
  table: string,
  columns: readonly string[],
): ReadonlyMap<string, string> {
  const values = columns.length === 1 ? [by.text] : by.text.split(by.separator);
  if (columns.length > 0 && values.length === columns.length) {
    return new Map(columns.map((column, i) => [column, values[i] ?? '']));
  }
  const form = columns.map((column) => `<${column}>`).join('/');
  const what =
    columns.length === 0 ? `The table ${table} has no key` : `The key of ${table} is ${form}`;
  throw new AppError('CLI_USAGE', what, {
    remedy:
      columns.length === 0
        ? `Name the row by other columns: --row '${table}?column=value'`
        : `Write --row ${table}/${form}, or name other columns: --row '${table}?column=value'`,
  });
}

function unreadable(text: string): AppError {
  return new AppError('CLI_USAGE', `${text} does not name a row`, {
    remedy: "Write TABLE/KEY, or 'TABLE?column=value', e.g. --row lists/42",
  });
}
