import type { ClientTable } from '../client-schema.ts';
import { streamClass, streamImports } from './kotlin-streams.ts';
import { fileText, HEADER, indent, type SchemaFormat } from './schema-format.ts';
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
      [
        'val AppSchema: Schema = Schema(',
        '    listOf(',
        ...schema.tables.flatMap((table) => indent(tableLines(table), 8)),
        '    ),',
        ')',
      ],
      streamClass(schema),
    ]),
};

function tableLines({ name, columns }: ClientTable): readonly string[] {
  return [
    'Table(',
    `    name = ${kotlinLiteral(name)},`,
    '    columns = listOf(',
    ...columns.map((column) => `        Column.${column.type}(${kotlinLiteral(column.name)}),`),
    '    ),',
    '),',
  ];
}
