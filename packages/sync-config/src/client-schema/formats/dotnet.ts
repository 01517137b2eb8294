import type { ClientSchema, ClientTable } from '../client-schema.ts';
import { dotnetNames } from './dotnet-names.ts';
import { streamClass, streamUsings } from './dotnet-streams.ts';
import { identifiers } from './identifiers.ts';
import { fileText, HEADER, indent, type SchemaFormat } from './schema-format.ts';
import { csharpLiteral } from './string-literal.ts';

const TABLE_NAMES = dotnetNames('Table', 'AppSchema ColumnType PowerSyncSchema Schema Table');

/** For PowerSync.Common. Source: its public documentation. */
export const DOTNET: SchemaFormat = {
  name: 'dotnet',
  description: '.NET SDK: a schema of table objects',
  fileName: 'AppSchema.cs',
  generate(schema) {
    const names = identifiers(
      schema.tables.map(({ name }) => name),
      TABLE_NAMES,
    );
    const members = schema.tables.flatMap((table, i) => [...tableLines(table, names[i] ?? ''), '']);
    return fileText([
      [`// ${HEADER}`],
      usings(schema, []),
      [
        'public static class AppSchema',
        '{',
        ...indent(members, 4),
        `    public static readonly Schema PowerSyncSchema = new Schema(${names.join(', ')});`,
        '}',
      ],
      streamClass(schema),
    ]);
  },
};

/** System namespaces first, then by name. */
export function usings(schema: ClientSchema, more: readonly string[]): readonly string[] {
  return [...streamUsings(schema), 'using PowerSync.Common.DB.Schema;', ...more];
}

function tableLines({ name, columns }: ClientTable, identifier: string): readonly string[] {
  const types = { text: 'Text', integer: 'Integer', real: 'Real' } as const;
  return [
    `public static readonly Table ${identifier} = new Table`,
    '{',
    `    Name = ${csharpLiteral(name)},`,
    '    Columns =',
    '    {',
    ...columns.map(
      (column) => `        [${csharpLiteral(column.name)}] = ColumnType.${types[column.type]},`,
    ),
    '    },',
    '};',
  ];
}
