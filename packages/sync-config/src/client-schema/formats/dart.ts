import type { ClientSchema, ClientTable, StreamParameter } from '../client-schema.ts';
import { wordSet, type NamingStyle } from './identifiers.ts';
import { block, fileText, HEADER, type SchemaFormat } from './schema-format.ts';
import { streamFunctions } from './stream-functions.ts';
import { dartLiteral } from './string-literal.ts';

const RESERVED = wordSet(`
  abstract as assert async await base break case catch class const continue covariant default
  deferred do dynamic else enum export extends extension external factory false final finally for
  Function get hide if implements import in interface is late library mixin new null of on operator
  part required rethrow return sealed set show static super switch sync this throw true try type
  typedef var void when while with yield db hashCode noSuchMethod runtimeType toString`);
const STREAM_NAMES: NamingStyle = {
  letterCase: 'camel',
  ascii: true,
  fallback: 'stream',
  reserved: RESERVED,
};
const PARAMETER_NAMES: NamingStyle = { ...STREAM_NAMES, fallback: 'parameter' };

/** For `package:powersync`. Source: its public documentation. */
export const DART: SchemaFormat = {
  name: 'dart',
  description: 'Dart and Flutter SDK',
  fileName: 'schema.dart',
  generate: (schema) =>
    fileText([
      [`// ${HEADER}`, "import 'package:powersync/powersync.dart';"],
      block('const schema = Schema([', schema.tables.flatMap(tableLines), ']);'),
      streamLines(schema),
    ]),
};

function tableLines({ name, columns }: ClientTable): readonly string[] {
  const lines = columns.map((column) => `Column.${column.type}(${dartLiteral(column.name)}),`);
  return block(`Table(${dartLiteral(name)}, [`, lines, ']),');
}

function streamLines(schema: ClientSchema): readonly string[] {
  const functions = streamFunctions(schema, STREAM_NAMES, PARAMETER_NAMES);
  if (functions.length === 0) return [];
  return [
    '/// The streams to subscribe to: `await TypedSyncStreams(db).name(…).subscribe()`.',
    'final class TypedSyncStreams {',
    '  final PowerSyncDatabase db;',
    '',
    '  const TypedSyncStreams(this.db);',
    ...functions.flatMap(({ identifier, name, parameters }) => {
      const args = parameters.map((p) => `required ${dartType(p)} ${p.identifier}`).join(', ');
      const map = parameters.map((p) => `${dartLiteral(p.name)}: ${p.identifier}`).join(', ');
      return [
        '',
        `  SyncStream ${identifier}(${args === '' ? '' : `{${args}}`}) {`,
        `    return db.syncStream(${dartLiteral(name)}, {${map}});`,
        '  }',
      ];
    }),
    '}',
  ];
}

function dartType({ type, isList }: StreamParameter): string {
  const one = { text: 'String', integer: 'int', real: 'num', any: 'Object?' }[type];
  return isList ? `List<${one}>` : one;
}
