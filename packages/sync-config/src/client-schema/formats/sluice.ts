import type { ClientSchema, ClientTable } from '../client-schema.ts';
import { identifiers } from './identifiers.ts';
import { javascriptNames, objectKey } from './javascript-names.ts';
import { parametersType } from './javascript.ts';
import { block, fileText, HEADER, type SchemaFormat } from './schema-format.ts';
import { streamFunctions } from './stream-functions.ts';
import { jsLiteral } from './string-literal.ts';

const ROW_NAMES = javascriptNames('pascal', 'Table', 'Row');
const STREAM_NAMES = javascriptNames('camel', 'stream');

/** Plain TypeScript that needs no package: tables as a constant from which the row types follow. */
export const SLUICE: SchemaFormat = {
  name: 'sluice',
  description: 'TypeScript without an SDK: tables as a constant, and row types',
  fileName: 'schema.ts',
  generate: (schema) =>
    fileText([
      [`// ${HEADER}`],
      [
        '/** The columns of each table with their SQLite types. Every table also has a text `id`. */',
        ...block('export const schema = {', schema.tables.flatMap(tableLines), '} as const;'),
      ],
      [
        '/** What a column holds in JavaScript. Integers beyond 2^53 lose digits. */',
        'interface ColumnValues {',
        '  text: string;',
        '  integer: number;',
        '  real: number;',
        '}',
      ],
      [
        'export type Schema = typeof schema;',
        'export type TableName = keyof Schema;',
        '/** A row of a table. Any column but `id` may be NULL. */',
        'export type Row<T extends TableName> = { id: string } & {',
        '  [C in keyof Schema[T]]: ColumnValues[Schema[T][C] & keyof ColumnValues] | null;',
        '};',
      ],
      rowTypes(schema),
      streamLines(schema),
    ]),
};

function tableLines({ name, columns }: ClientTable): readonly string[] {
  const lines = columns.map((column) => `${objectKey(column.name)}: '${column.type}',`);
  return block(`${objectKey(name)}: {`, lines, '},');
}

function rowTypes({ tables }: ClientSchema): readonly string[] {
  const names = identifiers(
    tables.map(({ name }) => `${name} Row`),
    ROW_NAMES,
  );
  return tables.map(({ name }, i) => `export type ${names[i] ?? ''} = Row<${jsLiteral(name)}>;`);
}

function streamLines(schema: ClientSchema): readonly string[] {
  const functions = streamFunctions(schema, STREAM_NAMES, STREAM_NAMES);
  if (functions.length === 0) return [];
  return [
    '/** What to subscribe to: the name of a stream with its parameters. */',
    'export const streams = {',
    ...functions.map(({ identifier, name, parameters }) => {
      const isPlain = parameters.length === 0;
      const args = isPlain ? '' : `parameters: ${parametersType(parameters)}`;
      const rest = isPlain ? 'parameters: {}' : 'parameters';
      return `  ${identifier}: (${args}) => ({ stream: ${jsLiteral(name)}, ${rest} }) as const,`;
    }),
    '} as const;',
  ];
}
