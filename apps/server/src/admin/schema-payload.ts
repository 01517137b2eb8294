import type { JsonObject } from '@sluice/base';
import type { TableSchema } from '@sluice/model';
import type { PostgresConnection } from '../config/service-config.ts';
import { connectionPlace } from './rules-status.ts';

/** Type flags of spec/sync-config.md 17. */
const TYPE_FLAGS = { blob: 1, text: 2, integer: 4, real: 8 } as const;

/** The Schema response of spec/protocol.md 1.3. */
export function schemaPayload(
  connection: PostgresConnection | undefined,
  tables: readonly TableSchema[],
  defaultSchema: string,
): JsonObject {
  const names = [...new Set(tables.map((table) => table.schema))];
  const place = connectionPlace(connection);
  const schemas = names.map((name) => ({
    name,
    tables: tables.filter((table) => table.schema === name).map(tablePayload),
  }));
  return {
    connections: [{ ...place, schemas }],
    defaultConnectionTag: place.tag,
    defaultSchema,
  };
}

function tablePayload(table: TableSchema): JsonObject {
  return {
    name: table.name,
    columns: table.columns.map((column) => ({
      name: column.name,
      sqlite_type: TYPE_FLAGS[column.sqliteType],
      internal_type: column.sourceType,
      type: column.sqliteType,
      pg_type: column.sourceType,
    })),
  };
}
