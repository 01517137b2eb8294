import type { CompiledColumn, CompiledTable } from '../schema/compiled-schema.ts';

/** A synced table with the given columns (`'title TEXT'`) and otherwise nothing special. */
export function tableOf(
  name: string,
  columns: readonly string[],
  rest: Partial<CompiledTable> = {},
): CompiledTable {
  return {
    name,
    viewName: name,
    columns: columns.map(columnOf),
    indexes: [],
    kind: 'synced',
    trackMetadata: false,
    trackPrevious: [],
    trackPreviousOnlyWhenChanged: false,
    ignoreEmptyUpdates: false,
    ...rest,
  };
}

function columnOf(text: string): CompiledColumn {
  const [name = '', type, ...constraint] = text.split(' ');
  return { name, type: type as CompiledColumn['type'], constraint: constraint.join(' ') };
}
