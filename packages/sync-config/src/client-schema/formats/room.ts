import type { ClientTable } from '../client-schema.ts';
import { identifiers } from './identifiers.ts';
import { kotlinNames } from './kotlin-names.ts';
import { streamClass, streamImports } from './kotlin-streams.ts';
import { block, fileText, HEADER, indent, type SchemaFormat } from './schema-format.ts';
import { kotlinLiteral } from './string-literal.ts';

const ENTITY_NAMES = kotlinNames('pascal', 'Table', 'Entity');
const PROPERTY_NAMES = kotlinNames('camel', 'column', 'id');

/**
 * For Room on top of the Kotlin SDK (1.11 or later): Room makes the tables, PowerSync syncs into
 * them as raw tables and finds their columns itself. Source: the SDK's public documentation.
 */
export const ROOM: SchemaFormat = {
  name: 'room',
  description: 'Room for Kotlin: entities, and their raw tables',
  fileName: 'AppSchema.kt',
  generate(schema) {
    const classes = identifiers(
      schema.tables.map(({ name }) => `${name} Entity`),
      ENTITY_NAMES,
    );
    const hasColumns = schema.tables.some(({ columns }) => columns.length > 0);
    const hasTables = schema.tables.length > 0;
    return fileText([
      [`// ${HEADER}`],
      [
        ...(hasColumns ? ['import androidx.room.ColumnInfo'] : []),
        ...(hasTables ? ['import androidx.room.Entity', 'import androidx.room.PrimaryKey'] : []),
        ...streamImports(schema).slice(0, 1),
        ...(hasTables ? ['import com.powersync.db.schema.RawTable'] : []),
        ...(hasTables ? ['import com.powersync.db.schema.RawTableSchema'] : []),
        'import com.powersync.db.schema.Schema',
        ...streamImports(schema).slice(1),
      ],
      ...schema.tables.map((table, i) => entityLines(table, classes[i] ?? '')),
      [
        '// To upload local writes, each table also needs triggers: powersync_create_raw_table_crud_trigger.',
        ...block(
          'val AppSchema: Schema = Schema(listOf(',
          schema.tables.map(
            ({ name }) => `RawTable(name = ${kotlinLiteral(name)}, schema = RawTableSchema()),`,
          ),
          '))',
          4,
        ),
      ],
      streamClass(schema),
    ]);
  },
};

const TYPES = { text: 'String', integer: 'Long', real: 'Double' } as const;

function entityLines({ name, columns }: ClientTable, className: string): readonly string[] {
  const properties = identifiers(
    columns.map((column) => column.name),
    PROPERTY_NAMES,
  );
  const lines = columns.map((column, i) => {
    const property = `val ${properties[i] ?? ''}: ${TYPES[column.type]}?,`;
    return `@ColumnInfo(name = ${kotlinLiteral(column.name)}) ${property}`;
  });
  return [
    `@Entity(tableName = ${kotlinLiteral(name)})`,
    `data class ${className}(`,
    '    @PrimaryKey val id: String,',
    ...indent(lines, 4),
    ')',
  ];
}
