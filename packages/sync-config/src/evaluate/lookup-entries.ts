import type { LookupEntry, SqliteRow, SqliteValue, TableSchema } from '@sluice/model';
import { linkExpression } from '../expr/link.ts';
import type { LookupQuery } from '../plan/queries.ts';
import type { Evaluate } from '../values/dialect.ts';
import { keyText } from '../values/key-text.ts';
import { linkSelection, rowLayout, type LinkContext } from './row-selection.ts';

export interface LinkedLookup {
  readonly definition: string;
  /** Appends the entries of a row, each once. */
  collect(row: SqliteRow, entries: LookupEntry[]): void;
}

export function linkLookup(
  query: LookupQuery,
  table: TableSchema,
  bucketPrefix: string,
  context: LinkContext,
): LinkedLookup {
  const layout = rowLayout(query, table);
  const outputs = query.outputs.map((output) => linkExpression(output, context.dialect, layout));
  const select = linkSelection(query, table, context);
  const keyStart = `${bucketPrefix}${query.id}[`;
  const mayRepeat = query.expansions.length > 0;
  return {
    definition: query.definition,
    collect(row, entries) {
      const first = entries.length;
      select(row, {
        add(keys, slots) {
          const values = outputTexts(outputs, slots, query.nullableOutputs);
          if (values === undefined) return;
          const key = `${keyStart}${keys}]`;
          if (mayRepeat && isKnown(entries, first, key, values)) return;
          entries.push({ key, values });
        },
      });
    },
  };
}

function isKnown(entries: readonly LookupEntry[], from: number, key: string, values: string) {
  for (let i = from; i < entries.length; i++) {
    if (entries[i]?.key === key && entries[i]?.values === values) return true;
  }
  return false;
}

function outputTexts(
  outputs: readonly Evaluate[],
  slots: readonly SqliteValue[],
  nullable: boolean,
): string | undefined {
  let joined = '';
  for (const output of outputs) {
    const value = output(slots);
    const text = nullable && value === null ? 'null' : keyText(value);
    if (text === undefined) return undefined;
    joined += joined === '' ? text : `,${text}`;
  }
  return `[${joined}]`;
}
