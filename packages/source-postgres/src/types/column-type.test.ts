import { SourceError } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import { describe, expect, test } from 'vitest';
import { BUILTIN_TYPES } from './builtin-types.ts';
import { columnType } from './column-type.ts';
import type { PgType } from './pg-type.ts';
import { TypeCatalog } from './type-catalog.ts';
import { DEFAULT_TYPE_OPTIONS, type TypeOptions } from './type-options.ts';

const LEGACY: TypeOptions = { isoTimestamps: false, timestampDigits: 6, customTypes: false };

function builtin(name: string): PgType {
  const found = [...BUILTIN_TYPES.values()].find(({ type }) => type.name === name);
  if (!found) throw new Error(`No built-in type ${name}`);
  return found.type;
}

/** Decodes from a string and from bytes inside a larger buffer; both must agree. */
function decode(typeName: string, text: string, options = DEFAULT_TYPE_OPTIONS): SqliteValue {
  const type = CUSTOM[typeName] ?? builtin(typeName);
  const column = columnType({ type, toastable: true, hasTextCast: false }, options);
  const bytes = Buffer.from(text);
  const around = Buffer.concat([Buffer.from('9{"'), bytes, Buffer.from('9}"')]);
  const fromBytes = column.decodeTextSlice(around, 3, 3 + bytes.length);
  const fromText = column.decodeText(text);
  expect(fromBytes).toEqual(fromText);
  return fromText;
}

const arrayOf = (element: PgType, delimiter = ','): PgType => ({
  kind: 'array',
  oid: 90001,
  name: `${element.name}[]`,
  element,
  delimiter,
});
const other = (name: string): PgType => ({ kind: 'scalar', oid: 90002, name, scalar: 'text' });
const mood: PgType = { kind: 'enum', oid: 90003, name: 'mood' };
const positive: PgType = { kind: 'domain', oid: 90004, name: 'positive', base: builtin('int4') };
const range = (bound: string): PgType => ({
  kind: 'range',
  oid: 90005,
  name: `${bound}range`,
  bound: builtin(bound),
});
const point2d: PgType = {
  kind: 'composite',
  oid: 90006,
  name: 'point2d',
  members: [
    { name: 'x', type: builtin('float8') },
    { name: 'label', type: builtin('text') },
    { name: 'ok', type: builtin('bool') },
    { name: 'tags', type: builtin('text[]') },
  ],
};

const CUSTOM: Readonly<Record<string, PgType>> = {
  mood,
  positive,
  point2d,
  int4range: range('int4'),
  numrange: range('numeric'),
  tsrange: range('timestamp'),
  textrange: range('text'),
  int4multirange: {
    kind: 'multirange',
    oid: 90007,
    name: 'int4multirange',
    bound: builtin('int4'),
  },
  'inet[]': arrayOf(other('inet')),
  'box[]': arrayOf(other('box'), ';'),
  'mood[]': arrayOf(mood),
  'positive[]': arrayOf(positive),
  'int4range[]': arrayOf(range('int4')),
  'point2d[]': arrayOf(point2d),
};

describe('scalars', () => {
  test.each<[string, string, SqliteValue]>([
    ['bool', 't', 1n],
    ['bool', 'f', 0n],
    ['int2', '-32768', -32768n],
    ['int4', '0', 0n],
    ['int8', '9223372036854775807', 9223372036854775807n],
    ['int8', '-9223372036854775808', -9223372036854775808n],
    ['int8', '999999999999999', 999999999999999n],
    ['oid', '4294967295', 4294967295n],
    ['float8', '0.1', 0.1],
    ['float8', '1e+300', 1e300],
    ['float8', 'NaN', null],
    ['float8', 'Infinity', null],
    ['float4', '-Infinity', null],
    ['numeric', '10.50', '10.50'],
    ['numeric', 'NaN', 'NaN'],
    ['text', 'Grüße 🎉', 'Grüße 🎉'],
    ['text', '', ''],
    ['bpchar', 'ab   ', 'ab   '],
    ['json', 'null', 'null'],
    ['json', '{"b" : 1,\n"a":2}', '{"b" : 1,\n"a":2}'],
    ['jsonb', '{"a": 2}', '{"a": 2}'],
    ['pg_lsn', '16/B374D848', '00000016/B374D848'],
    ['bytea', '\\x', new Uint8Array()],
    ['bytea', '\\x00ff10', new Uint8Array([0, 255, 16])],
    ['bytea', 'a\\\\b\\000\\377', new Uint8Array([97, 92, 98, 0, 255])],
    ['uuid', '0190f4a0-0000-7000-8000-000000000001', '0190f4a0-0000-7000-8000-000000000001'],
  ])('%s %s', (type, text, expected) => {
    expect(decode(type, text)).toEqual(expected);
  });

  test.each([
    ['bool', 'true'],
    ['int4', ''],
    ['int4', '12x'],
    ['int4', '-'],
    ['int8', '123456789012345678901'],
    ['bytea', '\\x0'],
    ['bytea', '\\xzz'],
    ['timestamp', '08.07.2031 09:10:11'],
    ['timestamp', '2031-07-08 09:10:11+00'],
    ['timestamptz', '2031-07-08 09:10:11'],
    ['pg_lsn', ''],
  ])('%s refuses %s', (type, text) => {
    expect(() => decode(type, text)).toThrow(SourceError);
  });
});

describe('dates and times', () => {
  const P3 = { ...DEFAULT_TYPE_OPTIONS, timestampDigits: 3 };
  const P0 = { ...DEFAULT_TYPE_OPTIONS, timestampDigits: 0 };
  const P9 = { ...DEFAULT_TYPE_OPTIONS, timestampDigits: 9 };

  test.each<[string, string, TypeOptions, SqliteValue]>([
    [
      'timestamptz',
      '2031-07-08 09:10:11.25+00',
      DEFAULT_TYPE_OPTIONS,
      '2031-07-08T09:10:11.250000Z',
    ],
    ['timestamptz', '2031-07-08 09:10:11.25+00', LEGACY, '2031-07-08 09:10:11.25Z'],
    ['timestamptz', '2031-07-08 09:10:11+00', LEGACY, '2031-07-08 09:10:11Z'],
    ['timestamptz', '2031-07-08 09:10:11.999999+00', P3, '2031-07-08T09:10:11.999Z'],
    ['timestamptz', '2031-07-08 09:10:11.999999+00', P0, '2031-07-08T09:10:11Z'],
    ['timestamptz', '2031-07-08 09:10:11.5+00', P9, '2031-07-08T09:10:11.500000Z'],
    ['timestamptz', '2031-07-08 00:10:11+02', DEFAULT_TYPE_OPTIONS, '2031-07-07T22:10:11.000000Z'],
    ['timestamptz', '2031-12-31 22:10:11-05:30', LEGACY, '2032-01-01 03:40:11Z'],
    ['timestamp', '2031-07-08 09:10:11', DEFAULT_TYPE_OPTIONS, '2031-07-08T09:10:11.000000'],
    ['timestamp', '2031-07-08 09:10:11.1', DEFAULT_TYPE_OPTIONS, '2031-07-08T09:10:11.100000'],
    ['timestamp', '2031-07-08 09:10:11', LEGACY, '2031-07-08 09:10:11'],
    ['timestamp', '2031-07-08 09:10:11.123456', P0, '2031-07-08T09:10:11'],
    ['time', '18:30:05.4', DEFAULT_TYPE_OPTIONS, '18:30:05.400000'],
    ['time', '18:30:05.4', LEGACY, '18:30:05.4'],
    ['time', '24:00:00', P0, '24:00:00'],
    ['date', '2031-07-08', DEFAULT_TYPE_OPTIONS, '2031-07-08'],
    ['date', '2031-07-08', LEGACY, '2031-07-08'],
    ['timestamptz', 'infinity', DEFAULT_TYPE_OPTIONS, '9999-12-31T23:59:59.000000Z'],
    ['timestamp', 'infinity', P0, '9999-12-31T23:59:59'],
    ['timestamptz', 'infinity', LEGACY, '9999-12-31 23:59:59Z'],
    ['timestamp', '-infinity', DEFAULT_TYPE_OPTIONS, '0000-01-01T00:00:00.000000'],
    ['timestamp', '-infinity', LEGACY, '0000-01-01 00:00:00'],
    ['date', 'infinity', DEFAULT_TYPE_OPTIONS, '9999-12-31'],
    ['date', '-infinity', DEFAULT_TYPE_OPTIONS, '0000-01-01'],
    ['timestamptz', '10000-01-01 00:00:00+00', DEFAULT_TYPE_OPTIONS, null],
    ['timestamptz', '10000-01-01 00:00:00+00', LEGACY, null],
    ['timestamp', '12026-03-04 05:06:07.5', DEFAULT_TYPE_OPTIONS, '12026-03-04T05:06:07.500000'],
    ['timestamptz', '0044-03-15 12:00:00+00 BC', DEFAULT_TYPE_OPTIONS, null],
    ['timestamp', '0044-03-15 12:00:00 BC', DEFAULT_TYPE_OPTIONS, null],
    ['timestamp', '0044-03-15 12:00:00 BC', LEGACY, null],
  ])('%s %s', (type, text, options, expected) => {
    expect(decode(type, text, options)).toBe(expected);
  });
});

describe('arrays', () => {
  test.each<[string, string, string]>([
    ['int4[]', '{}', '[]'],
    ['int4[]', '{1,NULL,-3}', '[1,null,-3]'],
    ['int4[]', '[2:3]={7,8}', '[7,8]'],
    ['int4[]', '[0:1][-1:0]={{1,2},{3,4}}', '[[1,2],[3,4]]'],
    ['int8[]', '{9223372036854775807}', '[9223372036854775807]'],
    [
      'float8[]',
      '{1,2.5,1e+20,1e+21,1e-07,NaN,-0}',
      '[1.0,2.5,100000000000000000000.0,1e+21,1e-7,null,-0.0]',
    ],
    ['bool[]', '{t,f,NULL}', '[1,0,null]'],
    ['numeric[]', '{10.50,NaN}', '["10.50","NaN"]'],
    [
      'text[]',
      '{a,"NULL",null,"","a,b","q\\"b\\\\","{}"," x "}',
      '["a","NULL","null","","a,b","q\\"b\\\\","{}"," x "]',
    ],
    ['json[]', '{"{\\"b\\" : 1}",null}', '[{"b" : 1},null]'],
    ['bytea[]', '{"\\\\x00ff"}', '[null]'],
    [
      'timestamptz[]',
      '{"2031-07-08 09:10:11+00",infinity}',
      '["2031-07-08T09:10:11.000000Z","9999-12-31T23:59:59.000000Z"]',
    ],
    ['timestamp[]', '{"0044-03-15 12:00:00 BC"}', '[null]'],
    ['pg_lsn[]', '{16/B374D848}', '["00000016/B374D848"]'],
    ['box[]', '{(2,2),(1,1);(4,4),(3,3)}', '["(2,2),(1,1)","(4,4),(3,3)"]'],
    ['mood[]', '{happy,"not so"}', '["happy","not so"]'],
    ['positive[]', '{1,2}', '[1,2]'],
    [
      'int4range[]',
      '{"[1,3)",empty}',
      '[{"lower":1,"upper":3,"lower_exclusive":0,"upper_exclusive":1},"empty"]',
    ],
    ['point2d[]', '{"(1,\\"a b\\",t,{})"}', '[{"x":1.0,"label":"a b","ok":1,"tags":[]}]'],
  ])('%s %s', (type, text, expected) => {
    expect(decode(type, text)).toBe(expected);
  });

  test.each(['', '{', '}', '{1', '{1}}', '{1,}', '{"a', '1', '{"a\\', '[1:2]', '[0:1]='])(
    'refuses %s',
    (text) => {
      expect(() => decode('int4[]', text)).toThrow(SourceError);
      expect(() => decode('text[]', text)).toThrow(SourceError);
    },
  );
});

describe('user-defined types', () => {
  test.each<[string, string, SqliteValue]>([
    ['positive', '7', 7n],
    ['mood', 'happy', 'happy'],
    [
      'point2d',
      '(2.5,"say ""hi"", \\\\o/",f,"{a,""b c""}")',
      '{"x":2.5,"label":"say \\"hi\\", \\\\o/","ok":0,"tags":["a","b c"]}',
    ],
    ['point2d', '(,,,)', '{"x":null,"label":null,"ok":null,"tags":null}'],
    ['point2d', '(,"",,)', '{"x":null,"label":"","ok":null,"tags":null}'],
    ['point2d', '(,a]b[,,)', '{"x":null,"label":"a]b[","ok":null,"tags":null}'],
    ['point2d', '(1,a)', '{"x":1.0,"label":"a","ok":null,"tags":null}'],
    ['int4range', '[1,10)', '{"lower":1,"upper":10,"lower_exclusive":0,"upper_exclusive":1}'],
    ['int4range', '(,)', '{"lower":null,"upper":null,"lower_exclusive":1,"upper_exclusive":1}'],
    ['int4range', 'empty', 'empty'],
    [
      'numrange',
      '(1.50,2.0]',
      '{"lower":"1.50","upper":"2.0","lower_exclusive":1,"upper_exclusive":0}',
    ],
    [
      'tsrange',
      '["2031-07-08 00:00:00",infinity]',
      '{"lower":"2031-07-08T00:00:00.000000","upper":"9999-12-31T23:59:59.000000","lower_exclusive":0,"upper_exclusive":0}',
    ],
    [
      'textrange',
      '["a]""b","")',
      '{"lower":"a]\\"b","upper":"","lower_exclusive":0,"upper_exclusive":1}',
    ],
    [
      'int4multirange',
      '{[1,3),[5,)}',
      '[{"lower":1,"upper":3,"lower_exclusive":0,"upper_exclusive":1},{"lower":5,"upper":null,"lower_exclusive":0,"upper_exclusive":1}]',
    ],
    ['int4multirange', '{}', '[]'],
  ])('%s %s', (type, text, expected) => {
    expect(decode(type, text)).toBe(expected);
  });

  test.each<[string, string, SqliteValue]>([
    ['positive', '7', 7n],
    ['mood', 'happy', 'happy'],
    ['point2d', '(1,a,t,{})', '(1,a,t,{})'],
    ['int4range', '[1,10)', '[1,10)'],
    ['mood[]', '{happy}', '{happy}'],
    ['positive[]', '{1}', '{1}'],
    ['inet[]', '{10.0.0.1}', '["10.0.0.1"]'],
    ['box[]', '{(2,2),(1,1)}', '["(2","2)","(1","1)"]'],
  ])('without custom_postgres_types: %s %s', (type, text, expected) => {
    expect(decode(type, text, LEGACY)).toBe(expected);
  });

  test.each([
    ['point2d', '1,2'],
    ['point2d', '(1,2'],
    ['point2d', '(1,2,t,{}) '],
    ['int4range', '[1)'],
    ['int4range', '1,2'],
    ['int4range', '[1,2'],
    ['int4range', '[1,2) '],
  ])('%s refuses %s', (type, text) => {
    expect(() => decode(type, text)).toThrow(SourceError);
  });
});

test('a type that the catalog was not asked for is text', () => {
  const unknown = new TypeCatalog().columnType(424242);
  expect(unknown.decodeText('x')).toBe('x');
  expect(unknown.sqliteType).toBe('text');
});
