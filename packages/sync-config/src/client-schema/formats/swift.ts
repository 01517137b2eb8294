import type { ClientSchema, ClientTable, StreamParameter } from '../client-schema.ts';
import { identifiers, wordSet, type NamingStyle } from './identifiers.ts';
import { block, fileText, HEADER, indent, type SchemaFormat } from './schema-format.ts';
import { streamFunctions, type FunctionParameter } from './stream-functions.ts';
import { swiftLiteral } from './string-literal.ts';

const RESERVED = `
  Any Protocol Self Type as associatedtype async await break case catch class continue default defer
  deinit do else enum extension fallthrough false fileprivate for func get guard if import in init
  inout internal is let nil open operator package precedencegroup private protocol public repeat
  rethrows return self set some static struct subscript super switch throw throws true try
  typealias var where while db`;
const TABLE_NAMES: NamingStyle = {
  letterCase: 'camel',
  fallback: 'table',
  reserved: wordSet(RESERVED),
};
const STREAM_NAMES: NamingStyle = { ...TABLE_NAMES, fallback: 'stream' };
const PARAMETER_NAMES: NamingStyle = { ...TABLE_NAMES, fallback: 'parameter' };

/** For powersync-swift. Source: its public documentation. */
export const SWIFT: SchemaFormat = {
  name: 'swift',
  description: 'Swift SDK',
  fileName: 'AppSchema.swift',
  generate(schema) {
    const names = identifiers(
      schema.tables.map(({ name }) => `${name} Table`),
      TABLE_NAMES,
    );
    return fileText([
      [`// ${HEADER}`, 'import PowerSync'],
      ...schema.tables.map((table, i) => tableLines(table, names[i] ?? '')),
      block('let AppSchema = Schema(', commaSeparated(names), ')', 4),
      streamLines(schema),
    ]);
  },
};

function tableLines({ name, columns }: ClientTable, constant: string): readonly string[] {
  const lines = columns.map((column) => `.${column.type}(${swiftLiteral(column.name)}),`);
  const parts = [`name: ${swiftLiteral(name)},`, ...block('columns: [', lines, ']', 4)];
  return block(`let ${constant} = Table(`, parts, ')', 4);
}

/** Swift allows no comma behind the last argument. */
function commaSeparated(names: readonly string[]): readonly string[] {
  return names.map((name, i) => (i < names.length - 1 ? `${name},` : name));
}

function streamLines(schema: ClientSchema): readonly string[] {
  const functions = streamFunctions(schema, STREAM_NAMES, PARAMETER_NAMES);
  if (functions.length === 0) return [];
  const members = functions.flatMap(({ identifier, name, parameters }) => {
    const args = parameters.map((p) => `${p.identifier}: ${swiftType(p)}`).join(', ');
    const pairs = parameters.map((p) => `${swiftLiteral(p.name)}: ${jsonValue(p)}`);
    const params = pairs.length === 0 ? '[:]' : `[${pairs.join(', ')}]`;
    return [
      '',
      `func ${identifier}(${args}) -> any SyncStream {`,
      `    db.syncStream(name: ${swiftLiteral(name)}, params: ${params})`,
      '}',
    ];
  });
  return [
    '/// The streams to subscribe to: `try await TypedSyncStreams(db).name(…).subscribe()`.',
    'struct TypedSyncStreams {',
    '    private let db: any PowerSyncDatabaseProtocol',
    '',
    '    init(_ db: any PowerSyncDatabaseProtocol) {',
    '        self.db = db',
    '    }',
    ...indent(members, 4),
    '}',
  ];
}

function swiftType({ type, isList }: StreamParameter): string {
  const one = { text: 'String', integer: 'Int', real: 'Double', any: 'JsonValue' }[type];
  return isList ? `[${one}]` : one;
}

function jsonValue({ identifier, type, isList }: FunctionParameter): string {
  if (type === 'any') return identifier;
  const wrapper = { text: '.string', integer: '.int', real: '.double' }[type];
  return isList ? `.array(${identifier}.map { ${wrapper}($0) })` : `${wrapper}(${identifier})`;
}
