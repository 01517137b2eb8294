import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { must } from '@sluice/base';
import { LocalPostgres } from '@sluice/local-postgres';
import type { SqliteValue } from '@sluice/model';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILTIN_TYPES } from './builtin-types.ts';
import { TypeCatalog } from './type-catalog.ts';
import { DEFAULT_TYPE_OPTIONS, type TypeOptions } from './type-options.ts';

const LEGACY: TypeOptions = { isoTimestamps: false, timestampDigits: 6, customTypes: false };
const MILLIS: TypeOptions = { ...DEFAULT_TYPE_OPTIONS, timestampDigits: 3 };
const SECONDS: TypeOptions = { ...DEFAULT_TYPE_OPTIONS, timestampDigits: 0 };

const SESSION = `
  SET DateStyle = ISO; SET TimeZone = UTC; SET IntervalStyle = postgres;
  SET bytea_output = hex; SET extra_float_digits = 1`;

/** What a query gives as PostgreSQL prints it, without the client's own parsing. */
type TextRow = Record<string, string | null>;

let parent: string;
let server: LocalPostgres;
let client: pg.Client;

beforeAll(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'sluice-types-'));
  server = await LocalPostgres.start({ dataDir: path.join(parent, 'data'), fast: true });
  client = new pg.Client({ connectionString: server.url() });
  await client.connect();
  await client.query(SESSION);
  await client.query(USER_TYPES);
});

afterAll(async () => {
  await client?.end();
  await server?.stop();
  await rm(parent, { recursive: true, force: true });
});

async function query(sql: string, values: readonly unknown[] = []): Promise<TextRow[]> {
  const types = { getTypeParser: () => (value: unknown) => value };
  // The cast holds because no parser touches the values.
  const parsed = types as unknown as pg.CustomTypesConfig;
  return (await client.query({ text: sql, values: [...values], types: parsed })).rows as TextRow[];
}

async function typeOid(name: string): Promise<number> {
  const [row] = await query('SELECT $1::regtype::oid::text AS oid', [name]);
  return Number(row?.['oid']);
}

interface Decoded {
  readonly value: SqliteValue;
  /** What an oracle written in SQL says. */
  readonly oracle: string | null;
}

/**
 * Stores values of a type, reads them in their text form and as a snapshot copies them, and requires
 * that both are decoded to the same.
 */
async function decodeAll(
  type: string,
  literals: readonly string[],
  { options = DEFAULT_TYPE_OPTIONS, oracle = 'v::text' } = {},
): Promise<Decoded[]> {
  const oid = await typeOid(type);
  const catalog = new TypeCatalog(options);
  await catalog.ensure(query, [oid]);
  const column = catalog.columnType(oid);
  await client.query(`DROP TABLE IF EXISTS sample; CREATE TABLE sample (n serial, v ${type})`);
  await client.query(`INSERT INTO sample (v) SELECT x::${type} FROM unnest($1::text[]) x`, [
    literals,
  ]);
  const copied = column.decodeBinary
    ? `encode(${await sendFunction(oid)}(v), 'hex')`
    : `encode(convert_to(${column.copyExpression('v')}, 'UTF8'), 'hex')`;
  const rows = await query(
    `SELECT v AS text, ${copied} AS copied, ${oracle} AS oracle FROM sample ORDER BY n`,
  );
  return rows.map(({ text, copied, oracle }) => {
    const bytes = Buffer.from(must(text));
    const value = column.decodeText(must(text));
    const binary = Buffer.from(must(copied), 'hex');
    expect(column.decodeTextSlice(bytes, 0, bytes.length), `${type} ${text}`).toEqual(value);
    expect(column.decodeCopied(binary, 0, binary.length), `${type} ${text}`).toEqual(value);
    return { value, oracle: oracle ?? null };
  });
}

async function sendFunction(oid: number): Promise<string> {
  const [row] = await query(
    `SELECT typsend::regproc::text AS name FROM pg_type WHERE oid = ${oid}`,
  );
  const name = must(row?.['name']);
  return name === 'domain_send' ? 'int4send' : name;
}

/** Numbers that repeat with the seed; a small linear congruential generator. */
function randomSource(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const random = randomSource(SEED);
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

function randomBytes(count: number): Buffer {
  return Buffer.from(times(count, () => random(256)));
}

const PIECES = [
  'a',
  'Z',
  ' ',
  '"',
  '\\',
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ',',
  ';',
  "'",
  'é',
  '🎉',
  '\n',
  'NULL',
  '',
];
const randomText = () =>
  times(random(6), () => must(PIECES[random(PIECES.length)], 'a piece')).join('');

/** Where shortest decimals are hardest: the next smaller neighbour is only half as far away. */
const POWERS_OF_TWO = Array.from({ length: 277 }, (_, i) => String(2 ** (i - 149)));

describe(`built-in types (seed ${SEED})`, () => {
  test('the oids and names that are known without the catalog are those of the server', async () => {
    const rows = await query(
      `SELECT t.oid::text, t.typname::text AS name, (t.typlen = -1 AND t.typstorage <> 'p')::text AS toastable,
         e.typname::text AS element
       FROM pg_type t LEFT JOIN pg_type e ON e.typarray = t.oid
       WHERE t.oid IN (${[...BUILTIN_TYPES.keys()].join(',')})`,
    );
    expect(rows).toHaveLength(BUILTIN_TYPES.size);
    for (const { oid, name, element, toastable } of rows) {
      const known = must(BUILTIN_TYPES.get(Number(oid)));
      expect(known.type.name).toBe(element === null ? name : `${element}[]`);
      expect(known.toastable, `toastable ${name}`).toBe(toastable === 'true');
    }
  });

  test.each([
    ['int2', () => String(random(65_536) - 32_768), ['0', '-32768', '32767']],
    ['int4', () => String(randomBytes(4).readInt32BE()), ['-2147483648', '2147483647']],
    ['oid', () => String(randomBytes(4).readUInt32BE()), ['0', '4294967295']],
    [
      'int8',
      () => String(randomBytes(8).readBigInt64BE() >> BigInt(random(60))),
      ['-9223372036854775808', '9223372036854775807', '9007199254740993', '-9007199254740993'],
    ],
  ])('%s is INTEGER', async (type, make, edges) => {
    for (const { value, oracle } of await decodeAll(type, [...edges, ...times(300, make)])) {
      expect(value).toBe(BigInt(must(oracle)));
    }
  });

  test('bool is 1 or 0', async () => {
    const decoded = await decodeAll('bool', ['true', 'false']);
    expect(decoded.map(({ value }) => value)).toEqual([1n, 0n]);
  });

  test.each([
    [
      'float4',
      () => String(randomBytes(4).readFloatBE()),
      ['0.1', '16777216', '1e-45', '3.4028235e38', '-0', 'NaN', 'Infinity', ...POWERS_OF_TWO],
    ],
    [
      'float8',
      () => String(randomBytes(8).readDoubleBE()),
      ['0.1', '5e-324', '1.7976931348623157e308', '-0', 'NaN', '-Infinity'],
    ],
  ])('%s is REAL, null where not finite', async (type, make, edges) => {
    for (const { value, oracle } of await decodeAll(type, [...edges, ...times(3000, make)])) {
      const number = Number(oracle);
      expect(value).toBe(Number.isFinite(number) ? number : null);
    }
  });

  test('numeric keeps its text, scale included', async () => {
    const make = () => {
      const digits = times(1 + random(40), () => random(10)).join('');
      const zeros = '0'.repeat(random(12));
      const decimals = times(random(30), () => random(10)).join('');
      return `${random(2) ? '-' : ''}${digits}${zeros}${decimals && `.${zeros}${decimals}`}`;
    };
    const edges = [
      '0',
      '0.000',
      '10.50',
      '10000',
      '0.0001',
      '1e-20',
      '1e50',
      'NaN',
      'Infinity',
      '-Infinity',
    ];
    for (const { value, oracle } of await decodeAll('numeric', [...edges, ...times(500, make)])) {
      expect(value).toBe(oracle);
    }
  });

  test.each(['text', 'varchar', 'bpchar', 'char(12)', 'name', 'xml', 'json', 'jsonb'])(
    '%s is TEXT as PostgreSQL prints it',
    async (type) => {
      const strings = times(100, randomText);
      const literals = type.startsWith('json')
        ? [' null', '{"b": 1.0,  "a":"x"}', ...strings.map((text) => JSON.stringify([text]))]
        : type === 'xml'
          ? ['<?xml version="1.0" encoding="UTF-8"?><a>é</a>', '<b/>']
          : strings.map((text) => Array.from(text).slice(0, 12).join(''));
      const decoded = await decodeAll(type, literals, { oracle: "format('%s', v)" });
      for (const { value, oracle } of decoded) expect(value).toBe(oracle);
    },
  );

  test('uuid and bytea', async () => {
    const hex = times(100, () => randomBytes(16).toString('hex'));
    for (const { value, oracle } of await decodeAll('uuid', hex)) expect(value).toBe(oracle);
    const literals = ['\\x', ...times(100, () => `\\x${randomBytes(random(40)).toString('hex')}`)];
    const decoded = await decodeAll('bytea', literals, { oracle: "encode(v, 'hex')" });
    for (const { value, oracle } of decoded) {
      expect(value).toEqual(new Uint8Array(Buffer.from(must(oracle), 'hex')));
    }
  });

  test('pg_lsn is padded', async () => {
    const decoded = await decodeAll('pg_lsn', ['0/0', '16/B374D848', 'FFFFFFFF/FFFFFFFF']);
    expect(decoded.map(({ value }) => value)).toEqual([
      '00000000/00000000',
      '00000016/B374D848',
      'FFFFFFFF/FFFFFFFF',
    ]);
  });

  test('every other type is TEXT in its output form', async () => {
    const samples: Readonly<Record<string, readonly string[]>> = {
      inet: ['10.0.0.1', '10.0.0.0/8', '::1'],
      cidr: ['10.0.0.0/8'],
      macaddr: ['08:00:2b:01:02:03'],
      macaddr8: ['08:00:2b:01:02:03:04:05'],
      interval: ['1 year 2 mons -3 days 04:05:06.789', '0', '-1 day'],
      timetz: ['18:30:05.4+02'],
      money: ['$1,234.50', '-7'],
      'bit(3)': ['101'],
      varbit: ['', '10110'],
      tsvector: ["a fat cat:3A 'it''s'"],
      tsquery: ['fat & (rat | !cat)'],
      point: ['(1.5,2)'],
      line: ['{1,2,3}'],
      lseg: ['[(1,2),(3,4)]'],
      box: ['(3,4),(1,2)'],
      path: ['((1,2),(3,4))'],
      polygon: ['((1,2),(3,4),(5,6))'],
      circle: ['<(1,2),3>'],
      '"char"': ['a', '\\351', ''],
      regclass: ['pg_class'],
      regtype: ['int4'],
      xid: ['4294967295'],
      xid8: ['18446744073709551615'],
      cid: ['5'],
      tid: ['(1,2)'],
      int2vector: ['1 2 3'],
      oidvector: ['1 2'],
      jsonpath: ['$.a[*]?(@ > 1)'],
      pg_snapshot: ['10:20:10,14'],
      refcursor: ['c'],
    };
    for (const [type, literals] of Object.entries(samples)) {
      const decoded = await decodeAll(type, literals, { oracle: "format('%s', v)" });
      for (const { value, oracle } of decoded) expect(value, type).toBe(oracle);
    }
  });
});

describe(`dates and times (seed ${SEED})`, () => {
  /** A moment between the years 1 and 9999 with up to six digits. */
  const moment = () => {
    const ms = new Date(Date.UTC(random(9999) + 1, random(12), 1 + random(31), random(24)));
    ms.setUTCFullYear(1 + random(9998));
    const fraction = times(random(7), () => random(10)).join('');
    const seconds = `${ms.toISOString().slice(0, 14)}${10 + random(50)}:${10 + random(50)}`;
    return fraction ? `${seconds}.${fraction}` : seconds;
  };
  const EDGES = [
    '0001-01-01 00:00:00',
    '9999-12-31 23:59:59.999999',
    '1999-12-31 23:59:59.999999',
    '2000-02-29',
    '1900-02-28 23:00',
    '2142-09-22 12:00:00.000001',
    '1857-01-01 00:00:00.000001',
  ];

  test.each([
    ['timestamp', DEFAULT_TYPE_OPTIONS, `to_char(v, 'YYYY-MM-DD"T"HH24:MI:SS.US')`],
    ['timestamptz', DEFAULT_TYPE_OPTIONS, `to_char(v, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`],
    ['timestamp', MILLIS, `to_char(v, 'YYYY-MM-DD"T"HH24:MI:SS.MS')`],
    ['timestamptz', SECONDS, `to_char(v, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`],
    ['timestamp', LEGACY, 'v::text'],
    ['timestamptz', LEGACY, `replace(v::text, '+00', 'Z')`],
  ])('%s with %o', async (type, options, oracle) => {
    // to_char truncates, as ISO mode does.
    for (const decoded of await decodeAll(type, [...EDGES, ...times(500, moment)], {
      options,
      oracle,
    })) {
      expect(decoded.value).toBe(decoded.oracle);
    }
  });

  test.each([
    [
      'time',
      DEFAULT_TYPE_OPTIONS,
      `left(v::text || CASE WHEN v::text LIKE '%.%' THEN '' ELSE '.' END || '000000', 15)`,
    ],
    ['time', SECONDS, 'left(v::text, 8)'],
    ['time', LEGACY, 'v::text'],
    ['date', DEFAULT_TYPE_OPTIONS, 'v::text'],
  ])('%s with %o', async (type, options, oracle) => {
    const edges =
      type === 'time'
        ? ['24:00:00', '00:00:00', '23:59:59.999999', '18:30:05.4']
        : ['4713-01-01 BC', '0001-12-31 BC', '12026-03-04', '5874897-12-31'];
    const literals = times(300, () =>
      type === 'time' ? moment().slice(11) : moment().slice(0, 10),
    );
    for (const decoded of await decodeAll(type, [...edges, ...literals], { options, oracle })) {
      expect(decoded.value).toBe(decoded.oracle);
    }
  });

  test('moments without a place in the target form', async () => {
    const literals = [
      'infinity',
      '-infinity',
      '0044-03-15 12:00 BC',
      '12026-03-04 05:06:07.5',
      '4713-01-01 BC',
      '0001-12-31 23:59:59.5 BC',
    ];
    const values = async (type: string, options: TypeOptions) =>
      (await decodeAll(type, literals, { options })).map(({ value }) => value);
    expect(await values('timestamptz', DEFAULT_TYPE_OPTIONS)).toEqual([
      '9999-12-31T23:59:59.000000Z',
      '0000-01-01T00:00:00.000000Z',
      ...[null, null, null, null],
    ]);
    expect(await values('timestamp', MILLIS)).toEqual([
      '9999-12-31T23:59:59.000',
      '0000-01-01T00:00:00.000',
      ...[null, '12026-03-04T05:06:07.500', null, null],
    ]);
    expect(await values('timestamptz', LEGACY)).toEqual([
      '9999-12-31 23:59:59Z',
      '0000-01-01 00:00:00Z',
      ...[null, null, null, null],
    ]);
    const dates = await decodeAll('date', ['infinity', '-infinity']);
    expect(dates.map(({ value }) => value)).toEqual(['9999-12-31', '0000-01-01']);
  });
});

const USER_TYPES = `
  CREATE TYPE mood AS ENUM ('happy', 'not "so"', 'é');
  CREATE DOMAIN positive AS int4 CHECK (VALUE > 0);
  CREATE DOMAIN tiny AS positive;
  CREATE DOMAIN address AS inet;
  CREATE DOMAIN words AS text[];
  CREATE TYPE inner_pair AS (a int4, b text);
  CREATE TYPE "Outer, pair" AS ("the ""key""" inner_pair, list inner_pair[], dropped int4, feel mood, at timestamptz, raw bytea, n numeric, f float8, ok bool, doc jsonb);
  ALTER TYPE "Outer, pair" DROP ATTRIBUTE dropped;
  CREATE TYPE textrange AS RANGE (subtype = text, collation = "C");
  CREATE TYPE pairrange AS RANGE (subtype = inner_pair)`;

describe(`user-defined types and arrays (seed ${SEED})`, () => {
  const json = async (type: string, literals: readonly string[], options = DEFAULT_TYPE_OPTIONS) =>
    (await decodeAll(type, literals, { options })).map(
      ({ value }) => JSON.parse(String(value)) as unknown,
    );

  test('enums and domains', async () => {
    const moods = ['happy', 'not "so"', 'é'];
    for (const { value, oracle } of await decodeAll('mood', moods)) expect(value).toBe(oracle);
    expect((await decodeAll('tiny', ['7'])).map(({ value }) => value)).toEqual([7n]);
    const addresses = await decodeAll('address', ['10.0.0.1']);
    expect(addresses.map(({ value }) => value)).toEqual(['10.0.0.1']);
    expect(await json('words', ['{a,"b c"}'])).toEqual([['a', 'b c']]);
    expect(await json('words[]', ['{"{a,\\"b c\\"}","{}"}'])).toEqual([[['a', 'b c'], []]]);
    expect(await json('mood[]', ['{happy,NULL}'])).toEqual([['happy', null]]);
    expect(await json('tiny[]', ['{1,2}'])).toEqual([[1, 2]]);
  });

  test('arrays of text give back any text in any shape', async () => {
    const shapes = times(200, () => {
      const width = 1 + random(3);
      const row = () => times(width, () => (random(8) === 0 ? null : randomText()));
      return random(2) ? row() : times(1 + random(3), row);
    });
    await client.query('DROP TABLE IF EXISTS shape; CREATE TABLE shape (n serial, v text[])');
    for (const shape of shapes) await client.query('INSERT INTO shape (v) VALUES ($1)', [shape]);
    const oid = await typeOid('text[]');
    const column = new TypeCatalog().columnType(oid);
    const rows = await query('SELECT v AS text FROM shape ORDER BY n');
    expect(rows.map(({ text }) => JSON.parse(String(column.decodeText(must(text)))))).toEqual(
      shapes,
    );
  });

  test('arrays of other types', async () => {
    expect(await json('box[]', ['{(2,2),(1,1);(4,4),(3,3)}'])).toEqual([
      ['(2,2),(1,1)', '(4,4),(3,3)'],
    ]);
    expect(await json('inet[]', ['{10.0.0.1}'])).toEqual([['10.0.0.1']]);
    expect(await json('int2vector[]', ['{"1 2",3}'])).toEqual([['1 2', '3']]);
    expect(await json('date[]', ['{2031-07-08,infinity}'])).toEqual([['2031-07-08', '9999-12-31']]);
    expect(await json('bool[]', ['[5:6]={t,f}'])).toEqual([[1, 0]]);
    expect(await json('jsonb[]', ['{"{\\"a\\": [1]}",null}'])).toEqual([[{ a: [1] }, null]]);
    expect(await json('bpchar[]', ['{"a  "}'])).toEqual([['a  ']]);
  });

  test('composites become objects, members in order, recursively', async () => {
    const type = '"Outer, pair"';
    const literal = `("(1,""x, """"y"""""")","{""(2,z)"",NULL}","not ""so""","2031-07-08 09:10:11.5+02","\\\\x00",10.50,1,t,"{""k"":[]}")`;
    const expected = {
      'the "key"': { a: 1, b: 'x, "y"' },
      list: [{ a: 2, b: 'z' }, null],
      feel: 'not "so"',
      at: '2031-07-08T07:10:11.500000Z',
      raw: null,
      n: '10.50',
      f: 1,
      ok: 1,
      doc: { k: [] },
    };
    expect(await json(type, [literal])).toEqual([expected]);
    const [decoded] = await decodeAll(type, [literal, '(,,,,,,,,)']);
    expect(decoded?.value).toMatch(
      /^\{"the \\"key\\"":\{"a":1,"b":.*"n":"10.50","f":1.0,"ok":1,"doc":\{"k": \[\]\}\}$/,
    );
    const raw = await decodeAll(type, [literal], { options: LEGACY });
    expect(raw[0]?.value).toBe(raw[0]?.oracle);
  });

  test('composites give back any text', async () => {
    const texts = times(300, randomText);
    await client.query('DROP TABLE IF EXISTS pairs; CREATE TABLE pairs (n serial, v inner_pair[])');
    await client.query(
      'INSERT INTO pairs (v) SELECT ARRAY[ROW(1, x)::inner_pair] FROM unnest($1::text[]) x',
      [texts],
    );
    const oid = await typeOid('inner_pair[]');
    const catalog = new TypeCatalog();
    await catalog.ensure(query, [oid]);
    const rows = await query('SELECT v AS text FROM pairs ORDER BY n');
    const decode = catalog.columnType(oid).decodeText;
    expect(rows.map(({ text }) => JSON.parse(String(decode(must(text)))))).toEqual(
      texts.map((b) => [{ a: 1, b }]),
    );
  });

  test('a row of nulls is not null', async () => {
    const decoded = await decodeAll('inner_pair', ['(,)']);
    expect(decoded[0]?.value).toBe('{"a":null,"b":null}');
  });

  test('ranges give back any bounds', async () => {
    const pairs = times(200, () =>
      [randomText(), randomText()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    const oid = await typeOid('textrange');
    const catalog = new TypeCatalog();
    await catalog.ensure(query, [oid]);
    const column = catalog.columnType(oid);
    for (const [lower = '', upper = ''] of pairs) {
      const [row] = await query('SELECT textrange($1, $2, $3) AS text', [lower, upper, '[]']);
      expect(JSON.parse(String(column.decodeText(must(row?.['text']))))).toEqual({
        lower,
        upper,
        lower_exclusive: 0,
        upper_exclusive: 0,
      });
    }
  });

  test('ranges of all built-in kinds, empty and unbounded ones, and multiranges', async () => {
    const decoded = await decodeAll('int4range', ['[1,10]', '(,)', 'empty']);
    expect(decoded.map(({ value }) => value)).toEqual([
      '{"lower":1,"upper":11,"lower_exclusive":0,"upper_exclusive":1}',
      '{"lower":null,"upper":null,"lower_exclusive":1,"upper_exclusive":1}',
      'empty',
    ]);
    const [period] = await decodeAll('tstzrange', ['[2031-07-08 09:10:11+00,infinity]']);
    expect(period?.value).toBe(
      '{"lower":"2031-07-08T09:10:11.000000Z","upper":"9999-12-31T23:59:59.000000Z","lower_exclusive":0,"upper_exclusive":0}',
    );
    const [several] = await decodeAll('nummultirange', ['{[1.50,2),(5,)}']);
    expect(several?.value).toBe(
      '[{"lower":"1.50","upper":"2","lower_exclusive":0,"upper_exclusive":1},{"lower":"5","upper":null,"lower_exclusive":1,"upper_exclusive":1}]',
    );
    const [pair] = await decodeAll('pairrange', ['["(1,\\"a ]\\")",)']);
    expect(pair?.value).toBe(
      '{"lower":{"a":1,"b":"a ]"},"upper":null,"lower_exclusive":0,"upper_exclusive":1}',
    );
    expect(await json('int4range[]', ['{"[1,2)",empty}'])).toEqual([
      [{ lower: 1, upper: 2, lower_exclusive: 0, upper_exclusive: 1 }, 'empty'],
    ]);
    const raw = await decodeAll('int4range', ['[1,10)'], { options: LEGACY });
    expect(raw[0]?.value).toBe('[1,10)');
  });

  test('an altered type is read anew when asked for', async () => {
    await client.query('DROP TYPE IF EXISTS grows; CREATE TYPE grows AS (a int4)');
    const oid = await typeOid('grows');
    const catalog = new TypeCatalog();
    await catalog.ensure(query, [oid]);
    expect(catalog.columnType(oid).decodeText('(1)')).toBe('{"a":1}');
    await client.query('ALTER TYPE grows ADD ATTRIBUTE b bool');
    await catalog.ensure(query, [oid], { refresh: true });
    expect(catalog.columnType(oid).decodeText('(1,t)')).toBe('{"a":1,"b":1}');
  });
});
