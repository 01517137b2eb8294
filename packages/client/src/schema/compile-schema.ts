import { SchemaError } from '../errors.ts';
import type { CompiledSchema } from './compiled-schema.ts';
import { compileTable } from './compile-table.ts';
import { schemaProblems } from './schema-problems.ts';
import type { AnyTable } from './table.ts';

/**
 * Checks a schema and gives it as plain data.
 *
 * @throws SchemaError with everything that is wrong (spec/client.md 2.2)
 */
export function compileSchema(schema: {
  readonly tables: Readonly<Record<string, AnyTable>>;
}): CompiledSchema {
  const tables = Object.entries(schema.tables).map(([name, table]) => compileTable(name, table));
  const problems = schemaProblems(tables);
  if (problems.length > 0) throw new SchemaError(problems);
  return { tables };
}
