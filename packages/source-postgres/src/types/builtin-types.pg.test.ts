import { must } from '@sluice/base';
import type { LocalPostgres } from '@sluice/local-postgres';
import { ScratchPostgres } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILTIN_TYPES } from './builtin-types.ts';
import { DEFAULT_TYPE_OPTIONS, type TypeOptions } from './type-options.ts';
import { RandomSamples, seedOfRun, times, TypeSamples } from '../testing/type-samples.ts';

const LEGACY: TypeOptions = { isoTimestamps: false, timestampDigits: 6, customTypes: false };

let scratch: ScratchPostgres;
let server: LocalPostgres;
let samples: TypeSamples;
const random = new RandomSamples(seedOfRun());

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  server = scratch.server;
  samples = await TypeSamples.connect(server.url());
});

afterAll(async () => {
  await samples?.client.end();
  await scratch?.[Symbol.asyncDispose]();
});

const MILLIS: TypeOptions = { ...DEFAULT_TYPE_OPTIONS, timestampDigits: 3 };
const SECONDS: TypeOptions = { ...DEFAULT_TYPE_OPTIONS, timestampDigits: 0 };

/** Where shortest decimals are hardest: the next smaller neighbour is only half as far away. */
const POWERS_OF_TWO = Array.from({ length: 277 }, (_, i) => String(2 ** (i - 149)));

describe(`built-in types (seed ${random.seed})`, () => {
  test('the oids and names that are known without the catalog are those of the server', async () => {
    const rows = await samples.query(
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
    ['int2', () => String(random.int(65_536) - 32_768), ['0', '-32768', '32767']],
    ['int4', () => String(random.bytes(4).readInt32BE()), ['-2147483648', '2147483647']],
    ['oid', () => String(random.bytes(4).readUInt32BE()), ['0', '4294967295']],
    [
      'int8',
      () => String(random.bytes(8).readBigInt64BE() >> BigInt(random.int(60))),
      ['-9223372036854775808', '9223372036854775807', '9007199254740993', '-9007199254740993'],
    ],
  ])('%s is INTEGER', async (type, make, edges) => {
    for (const { value, oracle } of await samples.decodeAll(type, [
      ...edges,
      ...times(300, make),
    ])) {
      expect(value).toBe(BigInt(must(oracle)));
    }
  });

  test('bool is 1 or 0', async () => {
    const decoded = await samples.decodeAll('bool', ['true', 'false']);
    expect(decoded.map(({ value }) => value)).toEqual([1n, 0n]);
  });

  test.each([
    [
      'float4',
      () => String(random.bytes(4).readFloatBE()),
      ['0.1', '16777216', '1e-45', '3.4028235e38', '-0', 'NaN', 'Infinity', ...POWERS_OF_TWO],
    ],
    [
      'float8',
      () => String(random.bytes(8).readDoubleBE()),
      ['0.1', '5e-324', '1.7976931348623157e308', '-0', 'NaN', '-Infinity'],
    ],
  ])('%s is REAL, null where not finite', async (type, make, edges) => {
    for (const { value, oracle } of await samples.decodeAll(type, [
      ...edges,
      ...times(3000, make),
    ])) {
      const number = Number(oracle);
      expect(value).toBe(Number.isFinite(number) ? number : null);
    }
  });

  test('numeric keeps its text, scale included', async () => {
    const make = () => {
      const digits = random.digits(1 + random.int(40));
      const zeros = '0'.repeat(random.int(12));
      const decimals = random.digits(random.int(30));
      return `${random.int(2) ? '-' : ''}${digits}${zeros}${decimals && `.${zeros}${decimals}`}`;
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
    for (const { value, oracle } of await samples.decodeAll('numeric', [
      ...edges,
      ...times(500, make),
    ])) {
      expect(value).toBe(oracle);
    }
  });

  test.each(['text', 'varchar', 'bpchar', 'char(12)', 'name', 'xml', 'json', 'jsonb'])(
    '%s is TEXT as PostgreSQL prints it',
    async (type) => {
      const strings = times(100, () => random.text());
      const literals = type.startsWith('json')
        ? [' null', '{"b": 1.0,  "a":"x"}', ...strings.map((text) => JSON.stringify([text]))]
        : type === 'xml'
          ? ['<?xml version="1.0" encoding="UTF-8"?><a>é</a>', '<b/>']
          : strings.map((text) => Array.from(text).slice(0, 12).join(''));
      const decoded = await samples.decodeAll(type, literals, { oracle: "format('%s', v)" });
      for (const { value, oracle } of decoded) expect(value).toBe(oracle);
    },
  );

  test('uuid and bytea', async () => {
    const hex = times(100, () => random.bytes(16).toString('hex'));
    for (const { value, oracle } of await samples.decodeAll('uuid', hex))
      expect(value).toBe(oracle);
    const literals = [
      '\\x',
      ...times(100, () => `\\x${random.bytes(random.int(40)).toString('hex')}`),
    ];
    const decoded = await samples.decodeAll('bytea', literals, { oracle: "encode(v, 'hex')" });
    for (const { value, oracle } of decoded) {
      expect(value).toEqual(new Uint8Array(Buffer.from(must(oracle), 'hex')));
    }
  });

  test('pg_lsn is padded', async () => {
    const decoded = await samples.decodeAll('pg_lsn', ['0/0', '16/B374D848', 'FFFFFFFF/FFFFFFFF']);
    expect(decoded.map(({ value }) => value)).toEqual([
      '00000000/00000000',
      '00000016/B374D848',
      'FFFFFFFF/FFFFFFFF',
    ]);
  });

  test('every other type is TEXT in its output form', async () => {
    const literalsByType: Readonly<Record<string, readonly string[]>> = {
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
    for (const [type, literals] of Object.entries(literalsByType)) {
      const decoded = await samples.decodeAll(type, literals, { oracle: "format('%s', v)" });
      for (const { value, oracle } of decoded) expect(value, type).toBe(oracle);
    }
  });
});

describe(`dates and times (seed ${random.seed})`, () => {
  /** A moment between the years 1 and 9999 with up to six digits. */
  const moment = () => {
    const ms = new Date(
      Date.UTC(random.int(9999) + 1, random.int(12), 1 + random.int(31), random.int(24)),
    );
    ms.setUTCFullYear(1 + random.int(9998));
    const fraction = random.digits(random.int(7));
    const seconds = `${ms.toISOString().slice(0, 14)}${10 + random.int(50)}:${10 + random.int(50)}`;
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
    for (const decoded of await samples.decodeAll(type, [...EDGES, ...times(500, moment)], {
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
    for (const decoded of await samples.decodeAll(type, [...edges, ...literals], {
      options,
      oracle,
    })) {
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
      (await samples.decodeAll(type, literals, { options })).map(({ value }) => value);
    expect(await values('timestamptz', DEFAULT_TYPE_OPTIONS)).toEqual([
      '9999-12-31T23:59:59.000000Z',
      '0000-01-01T00:00:00.000000Z',
      null,
      null,
      null,
      null,
    ]);
    expect(await values('timestamp', MILLIS)).toEqual([
      '9999-12-31T23:59:59.000',
      '0000-01-01T00:00:00.000',
      null,
      '12026-03-04T05:06:07.500',
      null,
      null,
    ]);
    expect(await values('timestamptz', LEGACY)).toEqual([
      '9999-12-31 23:59:59Z',
      '0000-01-01 00:00:00Z',
      null,
      null,
      null,
      null,
    ]);
    const dates = await samples.decodeAll('date', ['infinity', '-infinity']);
    expect(dates.map(({ value }) => value)).toEqual(['9999-12-31', '0000-01-01']);
  });
});
