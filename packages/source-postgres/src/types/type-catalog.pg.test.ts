import { must } from '@sluice/base';
import type { LocalPostgres } from '@sluice/local-postgres';
import { ScratchPostgres } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TypeCatalog } from './type-catalog.ts';
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
  await samples.client.query(USER_TYPES);
});

afterAll(async () => {
  await samples?.client.end();
  await scratch?.[Symbol.asyncDispose]();
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

describe(`user-defined types and arrays (seed ${random.seed})`, () => {
  const json = async (type: string, literals: readonly string[], options = DEFAULT_TYPE_OPTIONS) =>
    (await samples.decodeAll(type, literals, { options })).map(
      ({ value }) => JSON.parse(String(value)) as unknown,
    );

  test('enums and domains', async () => {
    const moods = ['happy', 'not "so"', 'é'];
    for (const { value, oracle } of await samples.decodeAll('mood', moods))
      expect(value).toBe(oracle);
    expect((await samples.decodeAll('tiny', ['7'])).map(({ value }) => value)).toEqual([7n]);
    const addresses = await samples.decodeAll('address', ['10.0.0.1']);
    expect(addresses.map(({ value }) => value)).toEqual(['10.0.0.1']);
    expect(await json('words', ['{a,"b c"}'])).toEqual([['a', 'b c']]);
    expect(await json('words[]', ['{"{a,\\"b c\\"}","{}"}'])).toEqual([[['a', 'b c'], []]]);
    expect(await json('mood[]', ['{happy,NULL}'])).toEqual([['happy', null]]);
    expect(await json('tiny[]', ['{1,2}'])).toEqual([[1, 2]]);
  });

  test('arrays of text give back any text in any shape', async () => {
    const shapes = times(200, () => {
      const width = 1 + random.int(3);
      const row = () => times(width, () => (random.int(8) === 0 ? null : random.text()));
      return random.int(2) ? row() : times(1 + random.int(3), row);
    });
    await samples.client.query(
      'DROP TABLE IF EXISTS shape; CREATE TABLE shape (n serial, v text[])',
    );
    for (const shape of shapes)
      await samples.client.query('INSERT INTO shape (v) VALUES ($1)', [shape]);
    const oid = await samples.typeOid('text[]');
    const column = new TypeCatalog().columnType(oid);
    const rows = await samples.query('SELECT v AS text FROM shape ORDER BY n');
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
    const [decoded] = await samples.decodeAll(type, [literal, '(,,,,,,,,)']);
    expect(decoded?.value).toMatch(
      /^\{"the \\"key\\"":\{"a":1,"b":.*"n":"10.50","f":1.0,"ok":1,"doc":\{"k": \[\]\}\}$/,
    );
    const raw = await samples.decodeAll(type, [literal], { options: LEGACY });
    expect(raw[0]?.value).toBe(raw[0]?.oracle);
  });

  test('composites give back any text', async () => {
    const texts = times(300, () => random.text());
    await samples.client.query(
      'DROP TABLE IF EXISTS pairs; CREATE TABLE pairs (n serial, v inner_pair[])',
    );
    await samples.client.query(
      'INSERT INTO pairs (v) SELECT ARRAY[ROW(1, x)::inner_pair] FROM unnest($1::text[]) x',
      [texts],
    );
    const oid = await samples.typeOid('inner_pair[]');
    const catalog = new TypeCatalog();
    await catalog.ensure(samples.query, [oid]);
    const rows = await samples.query('SELECT v AS text FROM pairs ORDER BY n');
    const decode = catalog.columnType(oid).decodeText;
    expect(rows.map(({ text }) => JSON.parse(String(decode(must(text)))))).toEqual(
      texts.map((b) => [{ a: 1, b }]),
    );
  });

  test('a row of nulls is not null', async () => {
    const decoded = await samples.decodeAll('inner_pair', ['(,)']);
    expect(decoded[0]?.value).toBe('{"a":null,"b":null}');
  });

  test('ranges give back any bounds', async () => {
    const pairs = times(200, () =>
      [random.text(), random.text()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    const oid = await samples.typeOid('textrange');
    const catalog = new TypeCatalog();
    await catalog.ensure(samples.query, [oid]);
    const column = catalog.columnType(oid);
    for (const [lower = '', upper = ''] of pairs) {
      const [row] = await samples.query('SELECT textrange($1, $2, $3) AS text', [
        lower,
        upper,
        '[]',
      ]);
      expect(JSON.parse(String(column.decodeText(must(row?.['text']))))).toEqual({
        lower,
        upper,
        lower_exclusive: 0,
        upper_exclusive: 0,
      });
    }
  });

  test('ranges of all built-in kinds, empty and unbounded ones, and multiranges', async () => {
    const decoded = await samples.decodeAll('int4range', ['[1,10]', '(,)', 'empty']);
    expect(decoded.map(({ value }) => value)).toEqual([
      '{"lower":1,"upper":11,"lower_exclusive":0,"upper_exclusive":1}',
      '{"lower":null,"upper":null,"lower_exclusive":1,"upper_exclusive":1}',
      'empty',
    ]);
    const [period] = await samples.decodeAll('tstzrange', ['[2031-07-08 09:10:11+00,infinity]']);
    expect(period?.value).toBe(
      '{"lower":"2031-07-08T09:10:11.000000Z","upper":"9999-12-31T23:59:59.000000Z","lower_exclusive":0,"upper_exclusive":0}',
    );
    const [several] = await samples.decodeAll('nummultirange', ['{[1.50,2),(5,)}']);
    expect(several?.value).toBe(
      '[{"lower":"1.50","upper":"2","lower_exclusive":0,"upper_exclusive":1},{"lower":"5","upper":null,"lower_exclusive":1,"upper_exclusive":1}]',
    );
    const [pair] = await samples.decodeAll('pairrange', ['["(1,\\"a ]\\")",)']);
    expect(pair?.value).toBe(
      '{"lower":{"a":1,"b":"a ]"},"upper":null,"lower_exclusive":0,"upper_exclusive":1}',
    );
    expect(await json('int4range[]', ['{"[1,2)",empty}'])).toEqual([
      [{ lower: 1, upper: 2, lower_exclusive: 0, upper_exclusive: 1 }, 'empty'],
    ]);
    const raw = await samples.decodeAll('int4range', ['[1,10)'], { options: LEGACY });
    expect(raw[0]?.value).toBe('[1,10)');
  });

  test('an altered type is read anew when asked for', async () => {
    await samples.client.query('DROP TYPE IF EXISTS grows; CREATE TYPE grows AS (a int4)');
    const oid = await samples.typeOid('grows');
    const catalog = new TypeCatalog();
    await catalog.ensure(samples.query, [oid]);
    expect(catalog.columnType(oid).decodeText('(1)')).toBe('{"a":1}');
    await samples.client.query('ALTER TYPE grows ADD ATTRIBUTE b bool');
    await catalog.ensure(samples.query, [oid], { refresh: true });
    expect(catalog.columnType(oid).decodeText('(1,t)')).toBe('{"a":1,"b":1}');
  });

  test('a type that the catalog does not have is text', async () => {
    const catalog = new TypeCatalog();
    await catalog.ensure(samples.query, [4_000_000_000]);
    expect(catalog.columnType(4_000_000_000).decodeText('{1}')).toBe('{1}');
  });
});
