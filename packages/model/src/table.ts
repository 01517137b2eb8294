import type { SqliteType } from './sqlite-value.ts';

export interface Column {
  readonly name: string;
  /** The type that values of this column arrive as. */
  readonly sqliteType: SqliteType;
  /** The source's own name of the type, e.g. `timestamptz`; for people. */
  readonly sourceType: string;
}

/** What evaluation needs to know of a table; columns in the order in which rows carry them. */
export interface TableSchema {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly Column[];
}

/** Names one table, or all tables of a schema that begin with a prefix (spec/sync-config.md 14). */
export interface TablePattern {
  readonly schema: string;
  /** `name` is a prefix, and every schema that starts with `schema` counts where so marked. */
  readonly name: string;
  readonly nameIsPrefix: boolean;
  readonly schemaIsPrefix: boolean;
}

/** Whether a table falls under a pattern. Case-sensitive, as in the catalog. */
export function matchesPattern(
  pattern: TablePattern,
  table: { readonly schema: string; readonly name: string },
): boolean {
  const schemaFits = pattern.schemaIsPrefix
    ? table.schema.startsWith(pattern.schema) && !isSystemSchema(table.schema)
    : table.schema === pattern.schema;
  if (!schemaFits) return false;
  return pattern.nameIsPrefix ? table.name.startsWith(pattern.name) : table.name === pattern.name;
}

/** Schemas of PostgreSQL itself, which no wildcard reaches. */
function isSystemSchema(schema: string): boolean {
  return schema.startsWith('pg_') || schema === 'information_schema';
}
