import { matchesPattern, type TableSchema } from '@sluice/model';
import { outputColumns } from '../evaluate/output-columns.ts';
import { inferTypes } from '../expr/infer-types.ts';
import { UNKNOWN, type ValueTypes } from '../expr/value-types.ts';
import type { CompiledDefinition, RowQuery } from '../plan/queries.ts';
import { clientType, type ClientSchema, type ClientTable } from './client-schema.ts';
import { rowTypes } from './row-types.ts';
import { streamParameters } from './stream-parameters.ts';

/**
 * The client schema of a config. Without `sourceSchema` only what is written out in the config is
 * known: `*` gives no columns, and every column is text. Source: spec/sync-config.md 17.
 */
export function buildClientSchema(
  definitions: readonly CompiledDefinition[],
  sourceSchema: readonly TableSchema[] | undefined,
): ClientSchema {
  const tables = new Map<string, ColumnMerger>();
  const tableNamed = (name: string): ColumnMerger => {
    const known = tables.get(name) ?? new ColumnMerger();
    tables.set(name, known);
    return known;
  };
  for (const query of definitions.flatMap(({ queries }) => queries.rows)) {
    const live = sourceSchema?.filter((table) => matchesPattern(query.pattern, table)) ?? [];
    for (const table of live) {
      tableNamed(query.objectType ?? table.name).addAll(liveColumns(query, table));
    }
    if (live.length > 0 || query.objectType === undefined) continue;
    tableNamed(query.objectType).addAll(writtenColumns(query, sourceSchema !== undefined));
  }
  return {
    tables: [...tables].map(([name, merger]) => merger.toTable(name)),
    streams: definitions
      .filter(({ info }) => info.kind === 'stream' && !info.isDefault)
      .map(({ info, queries }) => ({
        name: info.name,
        parameters: streamParameters(queries, sourceSchema ?? []),
      })),
  };
}

type TypedColumn = readonly [name: string, types: ValueTypes];

/** Also what `*` leaves out of the data: BLOBs, and in bucket definitions names with `_` (17.4). */
function liveColumns(query: RowQuery, table: TableSchema): readonly TypedColumn[] {
  const types = rowTypes(query, table);
  return [...outputColumns(query, table, 'listed')].map(([name, value]) => [
    name,
    inferTypes(value, types),
  ]);
}

function writtenColumns(query: RowQuery, isSchemaKnown: boolean): readonly TypedColumn[] {
  const types = rowTypes(query, undefined);
  return query.columns.flatMap((column): TypedColumn[] => {
    if (column.kind === 'star') return [];
    return [[column.name, isSchemaKnown ? inferTypes(column.value, types) : UNKNOWN]];
  });
}

/** The columns of one client table: the first spelling, and the union of the types. */
class ColumnMerger {
  readonly #byKey = new Map<string, { readonly name: string; types: ValueTypes }>();

  addAll(columns: readonly TypedColumn[]): void {
    for (const [name, types] of columns) {
      // SQLite tells names apart as ASCII without case.
      const key = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
      const known = this.#byKey.get(key);
      if (known !== undefined) known.types |= types;
      else if (key !== 'id') this.#byKey.set(key, { name, types });
    }
  }

  toTable(name: string): ClientTable {
    const columns = [...this.#byKey.values()].map((column) => ({
      name: column.name,
      type: clientType(column.types),
      types: column.types,
    }));
    return { name, columns };
  }
}
