import type { ClientTable } from '../client-schema.ts';
import { streamClass, streamImports } from './kotlin-streams.ts';
import { block, fileText, HEADER, type SchemaFormat } from './schema-format.ts';
import { kotlinLiteral } from './string-literal.ts';

/** For `com.powersync:core`. Source: its public documentation. */
export const KOTLIN: SchemaFormat = {
  name: 'kotlin',
  description: 'Kotlin Multiplatform SDK',
  fileName: 'AppSchema.kt',
  generate: (schema) =>
    fileText([
      [`// ${HEADER}`],
      [
        ...streamImports(schema).slice(0, 1),
        'import com.powersync.db.schema.Column',
        'import com.powersync.db.schema.Schema',
        'import com.powersync.db.schema.Table',
        ...streamImports(schema).slice(1),
      ],
      block('val AppSchema: Schema = Schema(listOf(', schema.tables.flatMap(tableLines), '))', 4),
      streamClass(schema),
    ]),
};

function tableLines({ name, columns }: ClientTable): readonly string[] {
  const lines = columns.map((column) => `Column.${column.type}(${kotlinLiteral(column.name)}),`);
  const parts = [`name = ${kotlinLiteral(name)},`, ...block('columns = listOf(', lines, '),', 4)];
  return block('Table(', parts, '),', 4);
}
