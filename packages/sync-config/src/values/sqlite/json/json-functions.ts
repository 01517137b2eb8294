import type { SqliteValue } from '@sluice/model';
import type { Evaluate, Operand, Operator } from '../../dialect.ts';
import { EvaluationFailure } from '../../failure.ts';
import { operandAt, strictUnary, variadic } from '../../shapes.ts';
import { toInteger } from '../conversions.ts';
import { isJsonContainer, type JsonNode } from './json-node.ts';
import { JsonPathReader } from './json-path-reader.ts';
import { findJsonNode } from './json-path.ts';
import { SqliteJsonReader } from './json-reader.ts';
import { jsonNodeValue, renderJson } from './json-render.ts';
import { alwaysJson, writeAsJson, writeValue } from './json-subtype.ts';
import { jsonTextValue, quoteJsonText } from './json-text.ts';

/**
 * SQLite's functions that read JSON and make it, and our `json_keys`.
 *
 * Left out is what changes JSON, and what reads or makes JSONB.
 */
export function createSqliteJsonFunctions(reader = new SqliteJsonReader()): Map<string, Operator> {
  return new Map<string, Operator>([
    ['json', alwaysJson(strictUnary((json) => renderJson(reader.read(json).root)))],
    ['json_extract', jsonExtract(reader)],
    ['json_array_length', readingNode(reader, arrayLength)],
    ['json_type', readingNode(reader, typeOfNode)],
    ['json_valid', variadic(1, 2, (args) => isValid(args, reader))],
    ['json_keys', strictUnary((json) => keysOf(reader.read(json).root))],
    ['json_quote', alwaysJson({ minArgs: 1, maxArgs: 1, build: buildQuote })],
    ['json_array', alwaysJson({ minArgs: 0, maxArgs: Infinity, build: buildArray })],
    ['json_object', alwaysJson({ minArgs: 0, maxArgs: Infinity, build: buildObject })],
  ]);
}

/** A function of JSON and perhaps of a path in it; NULL for NULL and where the path leads nowhere. */
function readingNode(reader: SqliteJsonReader, apply: (node: JsonNode) => SqliteValue): Operator {
  const paths = new JsonPathReader();
  return variadic(1, 2, ([json = null, path]) => {
    if (json === null) return null;
    const { root } = reader.read(json);
    if (path === null) return null;
    const node = path === undefined ? root : findJsonNode(root, paths.read(path));
    return node === undefined ? null : apply(node);
  });
}

function arrayLength(node: JsonNode): SqliteValue {
  return BigInt(node.kind === 'array' ? node.items.length : 0);
}

function typeOfNode({ kind }: JsonNode): SqliteValue {
  if (kind === 'hex') return 'integer';
  return kind === 'real5' ? 'real' : kind;
}

/** The names of an object's members in their order, repeated ones too, as json_each gives them. */
function keysOf(node: JsonNode): SqliteValue {
  if (node.kind !== 'object') {
    throw new EvaluationFailure('json_keys got JSON that is not an object');
  }
  return `[${node.labels.map((label) => quoteJsonText(jsonTextValue(label))).join(',')}]`;
}

const STANDARD = 1n;
const JSON5 = 2n;
const JSONB = 12n;

/** The second argument adds up what is valid: 1 RFC 8259, 2 JSON5, 4 and 8 JSONB. */
function isValid(
  [json = null, flags = STANDARD]: readonly SqliteValue[],
  reader: SqliteJsonReader,
): SqliteValue {
  const accepted = flags === null ? 0n : toInteger(flags);
  if (accepted < 1n || accepted > 15n) {
    throw new EvaluationFailure('The flags of json_valid are not between 1 and 15');
  }
  if (json === null) return null;
  if (typeof json === 'object' && (accepted & JSONB) !== 0n) {
    throw new EvaluationFailure('Whether a BLOB is JSONB is not examined');
  }
  if ((accepted & (STANDARD | JSON5)) === 0n) return 0n;
  const parsed = reader.tryRead(json);
  if (parsed === undefined) return 0n;
  return parsed.isStandard || (accepted & JSON5) !== 0n ? 1n : 0n;
}

/** With one path the value there, with several the JSON array of what they lead to. */
function jsonExtract(reader: SqliteJsonReader): Operator {
  const build = (args: readonly Operand[]) =>
    args.length === 2
      ? buildExtractOne(args, reader, jsonNodeValue)
      : buildExtractMany(args, reader);
  return {
    minArgs: 2,
    maxArgs: Infinity,
    build,
    // Only arrays and objects are JSON; a text is just a text.
    buildJson: (args) =>
      args.length === 2 ? buildExtractOne(args, reader, writeExtracted) : build(args),
  };
}

function writeExtracted(node: JsonNode): SqliteValue {
  if (isJsonContainer(node)) return renderJson(node);
  const value = jsonNodeValue(node);
  return value === null ? null : writeValue(value);
}

function buildExtractOne(
  args: readonly Operand[],
  reader: SqliteJsonReader,
  result: (node: JsonNode) => SqliteValue,
): Evaluate {
  const json = operandAt(args, 0).evaluate;
  const path = operandAt(args, 1).evaluate;
  const paths = new JsonPathReader();
  return (slots) => {
    const text = json(slots);
    const pathText = path(slots);
    if (text === null) return null;
    const { root } = reader.read(text);
    if (pathText === null) return null;
    const node = findJsonNode(root, paths.read(pathText));
    return node === undefined ? null : result(node);
  };
}

function buildExtractMany(args: readonly Operand[], reader: SqliteJsonReader): Evaluate {
  const [json, ...paths] = args.map(({ evaluate }) => ({ evaluate, paths: new JsonPathReader() }));
  return (slots) => {
    const text = json?.evaluate(slots) ?? null;
    const pathTexts = paths.map((path) => path.evaluate(slots));
    if (text === null) return null;
    const { root } = reader.read(text);
    const items: string[] = [];
    for (const [i, pathText] of pathTexts.entries()) {
      const path = pathText === null ? undefined : paths[i]?.paths.read(pathText);
      if (path === undefined) return null;
      const node = findJsonNode(root, path);
      items.push(node === undefined ? 'null' : renderJson(node));
    }
    return `[${items.join(',')}]`;
  };
}

function buildQuote(args: readonly Operand[]): Evaluate {
  return writeAsJson(operandAt(args, 0));
}

function buildArray(args: readonly Operand[]): Evaluate {
  const items = args.map(writeAsJson);
  return (slots) => `[${items.map((item) => item(slots)).join(',')}]`;
}

function buildObject(args: readonly Operand[]): Evaluate {
  const items = args.map((arg) => ({ label: arg.evaluate, write: writeAsJson(arg) }));
  return (slots) => {
    if (items.length % 2 === 1) throw new EvaluationFailure('json_object needs pairs of arguments');
    const members = items.map(({ label, write }, i) =>
      i % 2 === 0 ? labelText(label(slots)) : write(slots),
    );
    let text = '';
    for (const [i, member] of members.entries())
      text += `${i === 0 ? '' : i % 2 === 1 ? ':' : ','}${member}`;
    return `{${text}}`;
  };
}

function labelText(label: SqliteValue): string {
  if (typeof label !== 'string') throw new EvaluationFailure('A label of json_object is not TEXT');
  return quoteJsonText(label);
}
