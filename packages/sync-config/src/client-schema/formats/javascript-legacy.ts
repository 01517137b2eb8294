import type { ClientTable } from '../client-schema.ts';
import { block, fileText, HEADER, type SchemaFormat } from './schema-format.ts';
import { jsLiteral } from './string-literal.ts';

/**
 * For version 1 of the JavaScript SDKs, where `new Table` also took a name and a list of columns.
 * Without functions for streams, which those SDKs got later.
 */
export const JAVASCRIPT_LEGACY: SchemaFormat = {
  name: 'js-legacy',
  description: 'JavaScript SDKs before `column` (version 1 and older)',
  fileName: 'schema.js',
  generate: ({ tables }, { npmPackage }) =>
    fileText([
      [
        `// ${HEADER}`,
        `import { Column, ColumnType, Schema, Table } from ${jsLiteral(npmPackage)};`,
      ],
      block('export const AppSchema = new Schema([', tables.flatMap(tableLines), ']);'),
    ]),
};

function tableLines({ name, columns }: ClientTable): readonly string[] {
  const lines = columns.map((column) => {
    const type = column.type.toUpperCase();
    return `new Column({ name: ${jsLiteral(column.name)}, type: ColumnType.${type} }),`;
  });
  const parts = [`name: ${jsLiteral(name)},`, ...block('columns: [', lines, '],')];
  return block('new Table({', parts, '}),');
}
