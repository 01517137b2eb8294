import type { IntegerMode } from '../driver/integer-mode.ts';
import type { CompiledTable } from './compiled-schema.ts';
import { compileTable } from './compile-table.ts';
import type { AnyTable, Row } from './table.ts';

type Tables = Readonly<Record<string, AnyTable>>;

export interface SchemaOptions<Mode extends IntegerMode> {
  /** How integers come out of every query, watch and write of this schema's database; `auto` if left out. */
  readonly integerMode?: Mode | undefined;
}

/** Any schema, whatever its tables. */
export interface AnySchema {
  readonly tables: Tables;
  readonly integerMode: IntegerMode;
}

/** What an app declares: its tables by their synced names, and in which form it wants integers. */
export class Schema<T extends Tables = Tables, Mode extends IntegerMode = 'auto'> {
  readonly tables: T;
  readonly integerMode: Mode;
  /** Only there for types: `typeof schema.types.tasks` is the type of a row of `tasks`, as `rowOf` gives it. */
  declare readonly types: { readonly [Name in keyof T]: Row<T[Name], Mode> };

  constructor(tables: T, options: SchemaOptions<Mode> = {}) {
    this.tables = tables;
    // Whoever names another mode gives it.
    this.integerMode = options.integerMode ?? ('auto' as Mode);
  }

  /** In the form that other tools know (spec/client.md 2.3). */
  toJSON(): SchemaJson {
    const tables = Object.entries(this.tables).map(([name, table]) => compileTable(name, table));
    return { tables: tables.map(tableJson), raw_tables: [] };
  }
}

export interface SchemaJson {
  readonly tables: readonly TableJson[];
  readonly raw_tables: readonly never[];
}

export type TableJson = ReturnType<typeof tableJson>;

function tableJson(table: CompiledTable) {
  const types = new Map(table.columns.map(({ name, type }) => [name, type]));
  const all = table.trackPrevious.length === table.columns.length;
  return {
    name: table.name,
    view_name: table.viewName,
    columns: table.columns.map(({ name, type }) => ({ name, type })),
    indexes: table.indexes.map(({ name, columns }) => ({
      name,
      columns: columns.map((column) => ({ ...column, type: types.get(column.name) ?? 'TEXT' })),
    })),
    local_only: table.kind === 'local',
    insert_only: table.kind === 'insertOnly',
    include_metadata: table.trackMetadata,
    include_old: table.trackPrevious.length === 0 ? false : all || table.trackPrevious,
    include_old_only_when_changed: table.trackPreviousOnlyWhenChanged,
    ignore_empty_update: table.ignoreEmptyUpdates,
  };
}
