import type { ClientSchema, ClientTable, StreamParameter } from '../client-schema.ts';
import { identifiers } from './identifiers.ts';
import { javascriptNames, objectKey } from './javascript-names.ts';
import {
  block,
  fileText,
  HEADER,
  indent,
  type GenerateOptions,
  type SchemaFormat,
} from './schema-format.ts';
import { streamFunctions } from './stream-functions.ts';
import { jsLiteral } from './string-literal.ts';

const TABLE_NAMES = javascriptNames(
  'kept',
  'table',
  'AppSchema Database Schema StreamSource SyncStream Table column typedStreams',
);
const RECORD_NAMES = javascriptNames('pascal', 'Table', 'Record');
const STREAM_NAMES = javascriptNames('camel', 'stream');

/** For the JavaScript SDKs, without types. */
export const JAVASCRIPT: SchemaFormat = {
  name: 'js',
  description: 'JavaScript SDKs (Web, Node, React Native, Capacitor)',
  fileName: 'schema.js',
  generate: (schema, options) => generate(schema, options, false),
};

/** The same with row types and typed streams. */
export const TYPESCRIPT: SchemaFormat = {
  name: 'typescript',
  description: 'the JavaScript SDKs, with types of rows and streams',
  fileName: 'schema.ts',
  generate: (schema, options) => generate(schema, options, true),
};

/** Source: the public documentation and types of @powersync/common 2. */
function generate(schema: ClientSchema, { npmPackage }: GenerateOptions, typed: boolean): string {
  const names = identifiers(
    schema.tables.map(({ name }) => name),
    TABLE_NAMES,
  );
  const streamType = typed && schema.streams.length > 0 ? ', type SyncStream' : '';
  const from = jsLiteral(npmPackage);
  return fileText([
    [`// ${HEADER}`, `import { column, Schema, Table${streamType} } from ${from};`],
    ...schema.tables.map((table, i) => tableLines(table, names[i] ?? '')),
    block(
      'export const AppSchema = new Schema({',
      schema.tables.map(({ name }, i) => `${entry(name, names[i] ?? '')},`),
      '});',
    ),
    typed ? recordTypes(schema) : [],
    streamLines(schema, typed),
  ]);
}

function entry(name: string, identifier: string): string {
  return name === identifier ? name : `${objectKey(name)}: ${identifier}`;
}

function tableLines({ columns }: ClientTable, identifier: string): readonly string[] {
  const lines = columns.map(({ name, type }) => `${objectKey(name)}: column.${type},`);
  return block(`const ${identifier} = new Table({`, lines, '});');
}

function recordTypes({ tables }: ClientSchema): readonly string[] {
  const names = identifiers(
    tables.map(({ name }) => `${name} Record`),
    RECORD_NAMES,
  );
  return [
    "export type Database = (typeof AppSchema)['types'];",
    ...tables.map(({ name }, i) => `export type ${names[i] ?? ''} = Database[${jsLiteral(name)}];`),
  ];
}

function streamLines(schema: ClientSchema, typed: boolean): readonly string[] {
  const functions = streamFunctions(schema, STREAM_NAMES, STREAM_NAMES);
  if (functions.length === 0) return [];
  const methods = functions.flatMap(({ identifier, name, parameters }) => {
    const isPlain = parameters.length === 0;
    const type = typed ? `: ${parametersType(parameters)}` : '';
    const args = isPlain ? '' : `params${type}`;
    const call = `db.syncStream(${jsLiteral(name)}${isPlain ? '' : ', params'})`;
    const doc =
      typed || isPlain ? [] : [`/** @param {${inComment(parametersType(parameters))}} params */`];
    return [
      ...doc,
      `${identifier}(${args})${typed ? ': SyncStream' : ''} {`,
      `  return ${call};`,
      '},',
    ];
  });
  const head = typed
    ? [
        'interface StreamSource {',
        '  syncStream(name: string, params?: Record<string, unknown>): SyncStream;',
        '}',
        '',
      ]
    : [];
  return [
    ...head,
    '/** The streams to subscribe to: `await typedStreams(db).name({ … }).subscribe()`. */',
    `export function typedStreams(db${typed ? ': StreamSource' : ''}) {`,
    '  return {',
    ...indent(methods, 4),
    '  };',
    '}',
  ];
}

/** The same text literal, without what would end the comment. */
function inComment(text: string): string {
  return text.replaceAll('*/', String.raw`*\/`);
}

/** The TypeScript type of an object with a stream's parameters. */
export function parametersType(parameters: readonly StreamParameter[]): string {
  const fields = parameters.map((p) => `${objectKey(p.name)}: ${parameterType(p)}`);
  return `{ ${fields.join('; ')} }`;
}

function parameterType({ type, isList }: StreamParameter): string {
  const one = type === 'any' ? 'unknown' : type === 'text' ? 'string' : 'number';
  return isList ? `readonly ${one}[]` : one;
}
