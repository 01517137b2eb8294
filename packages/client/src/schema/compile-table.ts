import type { CompiledIndex, CompiledTable } from './compiled-schema.ts';
import type { AnyTable, Columns, IndexDeclaration } from './table.ts';

/** A declared table as plain data, whether it is right or not. */
export function compileTable(name: string, { columns, options }: AnyTable): CompiledTable {
  const names = Object.keys(columns);
  return {
    name,
    viewName: options.viewName ?? name,
    columns: Object.entries(columns).map(([columnName, column]) => ({
      name: columnName,
      type: column.type,
      constraint: column.constraintText(columnName),
    })),
    indexes: Object.entries(options.indexes ?? {}).map(([indexName, index]) =>
      compileIndex(indexName, index),
    ),
    kind:
      options.localOnly === true ? 'local' : options.insertOnly === true ? 'insertOnly' : 'synced',
    trackMetadata: options.trackMetadata ?? false,
    ...previous(names, options.trackPrevious ?? false),
    ignoreEmptyUpdates: options.ignoreEmptyUpdates ?? false,
    ...(options.fullText === undefined
      ? {}
      : { fullText: { tokenize: '', prefix: [], ...options.fullText } }),
  };
}

function compileIndex(name: string, declaration: IndexDeclaration<Columns>): CompiledIndex {
  const detailed = 'columns' in declaration ? declaration : { columns: declaration };
  return {
    name,
    columns: detailed.columns.map((text) => {
      const ascending = !text.startsWith('-');
      return { name: ascending ? text : text.slice(1), ascending };
    }),
    unique: detailed.unique ?? false,
    where: detailed.where ?? '',
  };
}

type Previous = Pick<CompiledTable, 'trackPrevious' | 'trackPreviousOnlyWhenChanged'>;

function previous(
  columnNames: readonly string[],
  option: NonNullable<AnyTable['options']['trackPrevious']>,
): Previous {
  if (typeof option === 'boolean') {
    return { trackPrevious: option ? columnNames : [], trackPreviousOnlyWhenChanged: false };
  }
  return {
    trackPrevious: option.columns ?? columnNames,
    trackPreviousOnlyWhenChanged: option.onlyWhenChanged ?? false,
  };
}
