import type { ClientTable, ClientType } from '../client-schema.ts';
import { dotnetNames } from './dotnet-names.ts';
import { streamClass } from './dotnet-streams.ts';
import { usings } from './dotnet.ts';
import { identifiers } from './identifiers.ts';
import { fileText, HEADER, indent, type SchemaFormat } from './schema-format.ts';
import { csharpLiteral } from './string-literal.ts';

const CLASS_NAMES = dotnetNames(
  'Table',
  `AppSchema Column ColumnAttribute ColumnType IPowerSyncDatabase ISyncStream Schema Table
  TableAttribute TypedSyncStreams`,
);
/** The type is written out, for the SDK would take a nullable number for text. */
const PROPERTIES: Readonly<Record<ClientType, { type: string; attribute: string }>> = {
  text: { type: 'string?', attribute: '' },
  integer: { type: 'long?', attribute: ', ColumnType = ColumnType.Integer' },
  real: { type: 'double?', attribute: ', ColumnType = ColumnType.Real' },
};

/** For PowerSync.Common: classes that are both schema and row type. Source: its documentation. */
export const DOTNET_CLASSES: SchemaFormat = {
  name: 'dotnet-classes',
  description: '.NET SDK: a class with attributes for each table',
  fileName: 'AppSchema.cs',
  generate(schema) {
    const names = identifiers(
      schema.tables.map(({ name }) => name),
      CLASS_NAMES,
    );
    const types = names.map((name) => `typeof(${name})`).join(', ');
    return fileText([
      [`// ${HEADER}`, '#nullable enable'],
      usings(schema, ['using PowerSync.Common.DB.Schema.Attributes;']),
      ...schema.tables.map((table, i) => classLines(table, names[i] ?? '')),
      [
        'public static class AppSchema',
        '{',
        `    public static readonly Schema PowerSyncSchema = new Schema(${types});`,
        '}',
      ],
      streamClass(schema),
    ]);
  },
};

function classLines({ name, columns }: ClientTable, className: string): readonly string[] {
  // A member cannot be called like its class.
  const names = identifiers(
    columns.map((column) => column.name),
    dotnetNames('Column', `Id ${className}`),
  );
  const members = columns.flatMap((column, i) => {
    const { type, attribute } = PROPERTIES[column.type];
    return [
      '',
      `[Column(${csharpLiteral(column.name)}${attribute})]`,
      `public ${type} ${names[i] ?? ''} { get; set; }`,
    ];
  });
  return [
    `[Table(${csharpLiteral(name)})]`,
    `public class ${className}`,
    '{',
    '    [Column("id")]',
    '    public string Id { get; set; } = "";',
    ...indent(members, 4),
    '}',
  ];
}
