import type { ClientSchema, ClientTable, StreamParameter } from '../client-schema.ts';
import { identifiers, wordSet, type NamingStyle } from './identifiers.ts';
import { fileText, HEADER, indent, type SchemaFormat } from './schema-format.ts';
import { streamFunctions } from './stream-functions.ts';
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
      schema.tables.map(({ name }) => name),
      TABLE_NAMES,
    );
    const constants = names.map((name) => `${name}Table`);
    return fileText([
      [`// ${HEADER}`, 'import PowerSync'],
      ...schema.tables.map((table, i) => tableLines(table, constants[i] ?? '')),
      constants.length === 0
        ? ['let AppSchema = Schema()']
        : ['let AppSchema = Schema(', `    ${constants.join(',\n    ')}`, ')'],
      streamLines(schema),
    ]);
  },
};

function tableLines({ name, columns }: ClientTable, constant: string): readonly string[] {
  return [
    `let ${constant} = Table(`,
    `    name: ${swiftLiteral(name)},`,
    '    columns: [',
    ...columns.map((column) => `        .${column.type}(${swiftLiteral(column.name)}),`),
    '    ]',
    ')',
  ];
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

function jsonValue({
  identifier,
  type,
  isList,
}: StreamParameter & { readonly identifier: string }): string {
  if (type === 'any') return identifier;
  const wrapper = { text: '.string', integer: '.int', real: '.double' }[type];
  return isList ? `.array(${identifier}.map { ${wrapper}($0) })` : `${wrapper}(${identifier})`;
}
