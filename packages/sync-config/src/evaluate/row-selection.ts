import type { SqliteRow, SqliteValue, TablePattern, TableSchema } from '@sluice/model';
import { linkExpression, type SlotLayout } from '../expr/link.ts';
import type { RowSelection } from '../plan/queries.ts';
import type { Dialect, Evaluate } from '../values/dialect.ts';
import { keyText } from '../values/key-text.ts';

/** What linking needs besides the query. */
export interface LinkContext {
  readonly dialect: Dialect;
}

/** Takes what a selection finds: key values as compact JSON without brackets, and the slots. */
interface SelectionSink {
  add(keys: string, slots: readonly SqliteValue[]): void;
}

/** Calls `sink` for every combination of a row and its expansions that passes the filter. */
export type Select = (row: SqliteRow, sink: SelectionSink) => void;

/** Compiles the selection of one table's rows. */
export function linkSelection(
  selection: RowSelection,
  table: TableSchema,
  context: LinkContext,
): Select {
  const layout = rowLayout(selection, table);
  const keysOf = linkKeys(selection, layout, context.dialect);
  const passes = linkFilter(selection, layout, context.dialect);
  if (selection.expansions.length === 0) {
    return (row, sink) => {
      if (!passes(row)) return;
      const keys = keysOf(row);
      if (keys !== undefined) sink.add(keys, row);
    };
  }
  return linkExpanded(selection, table, layout, context, (slots, sink) => {
    if (!passes(slots)) return;
    const keys = keysOf(slots);
    if (keys !== undefined) sink.add(keys, slots);
  });
}

/** Slots: the row's columns, then `value` and `key` of each expansion. */
export function rowLayout(selection: RowSelection, table: TableSchema): SlotLayout {
  const columns = new Map(table.columns.map(({ name }, index) => [name, index]));
  const { expansions, source: rowSource } = selection;
  return {
    slotOf(source, column) {
      if (source === rowSource) return columns.get(column);
      const index = expansions.findIndex((expansion) => expansion.source === source);
      return index === -1
        ? undefined
        : table.columns.length + 2 * index + (column === 'key' ? 1 : 0);
    },
    factOf(_source, fact) {
      if (fact === 'schema') return table.schema;
      if (fact === 'name') return table.name;
      return matchedSuffix(selection.pattern, table) ?? (fact === 'suffix' ? '' : null);
    },
  };
}

function matchedSuffix(pattern: TablePattern, table: TableSchema): string | undefined {
  return pattern.nameIsPrefix ? table.name.slice(pattern.name.length) : undefined;
}

function linkFilter(
  selection: RowSelection,
  layout: SlotLayout,
  dialect: Dialect,
): (slots: readonly SqliteValue[]) => boolean {
  if (selection.filter === undefined) return () => true;
  const filter = linkExpression(selection.filter, dialect, layout);
  return (slots) => {
    const value = filter(slots);
    return value === 1n || (value !== 0n && dialect.isTrue(value));
  };
}

function linkKeys(
  selection: RowSelection,
  layout: SlotLayout,
  dialect: Dialect,
): (slots: readonly SqliteValue[]) => string | undefined {
  const keys: readonly Evaluate[] = selection.keys.map((key) =>
    linkExpression(key, dialect, layout),
  );
  const [only] = keys;
  if (only === undefined) return () => '';
  if (keys.length === 1) return (slots) => keyText(only(slots));
  return (slots) => {
    let joined = '';
    for (const key of keys) {
      const text = keyText(key(slots));
      if (text === undefined) return undefined;
      joined += joined === '' ? text : `,${text}`;
    }
    return joined;
  };
}

function linkExpanded(
  selection: RowSelection,
  table: TableSchema,
  layout: SlotLayout,
  context: LinkContext,
  select: (slots: readonly SqliteValue[], sink: SelectionSink) => void,
): Select {
  const width = table.columns.length;
  const expansions = selection.expansions.map(({ input, mode }) => ({
    input: linkExpression(input, context.dialect, layout),
    mode,
  }));
  const expandFrom = (index: number, slots: SqliteValue[], sink: SelectionSink): void => {
    const expansion = expansions[index];
    if (expansion === undefined) {
      select(slots, sink);
      return;
    }
    const input = expansion.input(slots);
    for (const element of context.dialect.elements(input, expansion.mode)) {
      slots[width + 2 * index] = element.value;
      slots[width + 2 * index + 1] = element.key;
      expandFrom(index + 1, slots, sink);
    }
  };
  return (row, sink) => expandFrom(0, [...row], sink);
}
