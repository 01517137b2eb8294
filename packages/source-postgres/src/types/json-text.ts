import { arrayLiteralToJson } from './array-literal.ts';
import { malformedValue } from './malformed-value.ts';
import type { CompositeMember, PgType } from './pg-type.ts';
import { parseBounds, parseComposite } from './record-literal.ts';
import { decodeFloat, scalarTextDecoder } from './scalar-text.ts';
import type { TypeOptions } from './type-options.ts';

/** Maps the text form of a value to the JSON text that stands for it inside arrays and objects. */
export type ToJson = (text: string) => string;

/** The JSON form of a type's values as elements or members (spec/sync-config.md 15.2, 15.3). */
export function jsonEncoder(type: PgType, options: TypeOptions): ToJson {
  switch (type.kind) {
    case 'scalar':
      return scalarToJson(type.scalar, options);
    case 'enum':
      return quote;
    case 'domain':
      return jsonEncoder(type.base, options);
    case 'array': {
      const element = jsonEncoder(type.element, options);
      return (text) => arrayLiteralToJson(text, type.delimiter, element);
    }
    case 'composite':
      return compositeToJson(type.members, options);
    case 'range':
      return rangeToJson(jsonEncoder(type.bound, options));
    case 'multirange':
      return multirangeToJson(jsonEncoder(type.bound, options));
  }
}

function scalarToJson(scalar: (PgType & { kind: 'scalar' })['scalar'], options: TypeOptions) {
  switch (scalar) {
    case 'integer':
    case 'bool': {
      const decode = scalarTextDecoder(scalar, options);
      return (text: string) => String(decode(text));
    }
    case 'float':
      return (text: string) => realToJson(decodeFloat(text));
    case 'json':
      return (text: string) => text;
    case 'bytea':
      return () => 'null';
    case 'text':
      return quote;
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'lsn': {
      const decode = scalarTextDecoder(scalar, options);
      return (text: string) => JSON.stringify(decode(text));
    }
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** Shortest round-trip decimal, with `.0` where integral (spec/sync-config.md 13.2). */
function realToJson(value: number | null): string {
  if (value === null) return 'null';
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function compositeToJson(members: readonly CompositeMember[], options: TypeOptions): ToJson {
  const encoders = members.map((member) => ({
    key: `${JSON.stringify(member.name)}:`,
    toJson: jsonEncoder(member.type, options),
  }));
  return (text) => {
    if (!text.startsWith('(')) throw malformedValue('composite');
    const { members: values, end } = parseComposite(text, 1);
    if (end !== text.length - 1) throw malformedValue('composite');
    // A value from before an ALTER TYPE has fewer or more members than the catalog says now.
    const parts = encoders.map(({ key, toJson }, index) => {
      const value = values[index] ?? null;
      return key + (value === null ? 'null' : toJson(value));
    });
    return `{${parts.join(',')}}`;
  };
}

function rangeToJson(bound: ToJson): ToJson {
  return (text) => {
    if (text === 'empty') return '"empty"';
    const { json, end } = rangeAt(text, 0, bound);
    if (end !== text.length) throw malformedValue('range');
    return json;
  };
}

function multirangeToJson(bound: ToJson): ToJson {
  return (text) => {
    if (text === '{}') return '[]';
    if (!text.startsWith('{')) throw malformedValue('multirange');
    const ranges: string[] = [];
    let at = 0;
    do {
      const { json, end } = rangeAt(text, at + 1, bound);
      ranges.push(json);
      at = end;
    } while (text[at] === ',');
    if (text.slice(at) !== '}') throw malformedValue('multirange');
    return `[${ranges.join(',')}]`;
  };
}

function rangeAt(text: string, start: number, bound: ToJson) {
  const opening = text[start];
  const { members, end } = parseBounds(text, start + 1);
  if (members.length !== 2 || (opening !== '[' && opening !== '(')) throw malformedValue('range');
  const side = (value: string | null | undefined) => (value == null ? 'null' : bound(value));
  const lowerExclusive = opening === '(' ? 1 : 0;
  const upperExclusive = text[end] === ')' ? 1 : 0;
  const json =
    `{"lower":${side(members[0])},"upper":${side(members[1])},` +
    `"lower_exclusive":${lowerExclusive},"upper_exclusive":${upperExclusive}}`;
  return { json, end: end + 1 };
}
