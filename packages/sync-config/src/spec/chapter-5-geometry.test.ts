import { describe, expect, it } from 'vitest';
import { queryIn, stream, valueOf } from '../testing/check.ts';

// spec/sync-config.md 5, st_*: geometries arrive as hex or BLOB (E)WKB.

/** `double` in the byte order given, as hex. */
function double(value: number, little = true): string {
  const bytes = Buffer.alloc(8);
  if (little) bytes.writeDoubleLE(value);
  else bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}

function uint(value: number, little = true): string {
  const bytes = Buffer.alloc(4);
  if (little) bytes.writeUInt32LE(value);
  else bytes.writeUInt32BE(value);
  return bytes.toString('hex');
}

const header = (type: number, srid?: number) =>
  `01${uint(srid === undefined ? type : (type | 0x20000000) >>> 0)}${srid === undefined ? '' : uint(srid)}`;
const at = (...ordinates: number[]) => ordinates.map((value) => double(value)).join('');
const list = (...items: string[]) => uint(items.length) + items.join('');
const point = (...ordinates: number[]) => header(1) + at(...ordinates);
const line = list(at(0, 0), at(1, 1.5));
const ring = list(at(0, 0), at(4, 0), at(4, 4), at(0, 0));
const hole = list(at(1, 1), at(2, 1), at(2, 2), at(1, 1));

const SHAPES: readonly (readonly [name: string, hex: string, wkt: string, geoJson: string])[] = [
  ['point', point(1, 2), 'POINT(1 2)', '{"type":"Point","coordinates":[1,2]}'],
  ['point with SRID', header(1, 4326) + at(-71.06, 42.28), 'POINT(-71.06 42.28)', '{"type":"Point","coordinates":[-71.06,42.28]}'],
  ['big-endian point', `00${uint(1, false)}${double(1, false)}${double(2, false)}`, 'POINT(1 2)', '{"type":"Point","coordinates":[1,2]}'],
  ['EWKB point Z', header(0x80000001) + at(1, 2, 3), 'POINT Z (1 2 3)', '{"type":"Point","coordinates":[1,2,3]}'],
  ['EWKB point M', header(0x40000001) + at(1, 2, 4), 'POINT M (1 2 4)', '{"type":"Point","coordinates":[1,2]}'],
  ['EWKB point ZM with SRID', header(0xc0000001, 4326) + at(1, 2, 3, 4), 'POINT ZM (1 2 3 4)', '{"type":"Point","coordinates":[1,2,3]}'],
  ['ISO point Z', header(1001) + at(1, 2, 3), 'POINT Z (1 2 3)', '{"type":"Point","coordinates":[1,2,3]}'],
  ['ISO point M', header(2001) + at(1, 2, 4), 'POINT M (1 2 4)', '{"type":"Point","coordinates":[1,2]}'],
  ['ISO point ZM', header(3001) + at(1, 2, 3, 4), 'POINT ZM (1 2 3 4)', '{"type":"Point","coordinates":[1,2,3]}'],
  ['empty point', point(NaN, NaN), 'POINT EMPTY', '{"type":"Point","coordinates":[]}'],
  ['empty point Z', header(1001) + at(NaN, NaN, NaN), 'POINT Z EMPTY', '{"type":"Point","coordinates":[]}'],
  ['line', header(2) + line, 'LINESTRING(0 0,1 1.5)', '{"type":"LineString","coordinates":[[0,0],[1,1.5]]}'],
  ['empty line', header(2) + list(), 'LINESTRING EMPTY', '{"type":"LineString","coordinates":[]}'],
  ['line Z', header(1002) + list(at(0, 0, 1), at(1, 1, 2)), 'LINESTRING Z (0 0 1,1 1 2)', '{"type":"LineString","coordinates":[[0,0,1],[1,1,2]]}'],
  ['polygon with a hole', header(3) + list(ring, hole), 'POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))', '{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]}'],
  ['empty polygon', header(3) + list(), 'POLYGON EMPTY', '{"type":"Polygon","coordinates":[]}'],
  ['multipoint', header(4) + list(point(0, 0), point(1, 1)), 'MULTIPOINT((0 0),(1 1))', '{"type":"MultiPoint","coordinates":[[0,0],[1,1]]}'],
  ['empty multipoint', header(4) + list(), 'MULTIPOINT EMPTY', '{"type":"MultiPoint","coordinates":[]}'],
  ['multiline', header(5) + list(header(2) + line), 'MULTILINESTRING((0 0,1 1.5))', '{"type":"MultiLineString","coordinates":[[[0,0],[1,1.5]]]}'],
  ['multipolygon', header(6) + list(header(3) + list(ring)), 'MULTIPOLYGON(((0 0,4 0,4 4,0 0)))', '{"type":"MultiPolygon","coordinates":[[[[0,0],[4,0],[4,4],[0,0]]]]}'],
  ['collection', header(7) + list(point(1, 2), header(2) + line), 'GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1.5))', '{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"LineString","coordinates":[[0,0],[1,1.5]]}]}'],
  ['empty collection', header(7) + list(), 'GEOMETRYCOLLECTION EMPTY', '{"type":"GeometryCollection","geometries":[]}'],
  ['collection Z', header(1007) + list(header(1001) + at(1, 2, 3)), 'GEOMETRYCOLLECTION Z (POINT Z (1 2 3))', '{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2,3]}]}'],
  ['collection of both byte orders', header(7) + list(`00${uint(1, false)}${double(1, false)}${double(2, false)}`, point(3, 4)), 'GEOMETRYCOLLECTION(POINT(1 2),POINT(3 4))', '{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"Point","coordinates":[3,4]}]}'],
  ['circular string', header(8) + list(at(0, 0), at(1, 1), at(2, 0)), 'CIRCULARSTRING(0 0,1 1,2 0)', 'error: GeoJSON has no type CircularString'],
  ['compound curve', header(9) + list(header(8) + list(at(0, 0), at(1, 1), at(2, 0)), header(2) + line), 'COMPOUNDCURVE(CIRCULARSTRING(0 0,1 1,2 0),(0 0,1 1.5))', 'error: GeoJSON has no type CompoundCurve'],
  ['curve polygon', header(10) + list(header(2) + ring), 'CURVEPOLYGON((0 0,4 0,4 4,0 0))', 'error: GeoJSON has no type CurvePolygon'],
  ['triangle', header(17) + list(ring), 'TRIANGLE((0 0,4 0,4 4,0 0))', 'error: GeoJSON has no type Triangle'],
  ['TIN', header(16) + list(header(17) + list(ring)), 'TIN(((0 0,4 0,4 4,0 0)))', 'error: GeoJSON has no type Tin'],
]; // prettier-ignore

const value = (expression: string, g: string | bigint | Uint8Array | null) =>
  valueOf(stream(`SELECT id, ${expression} AS r FROM t`), { id: 'x', g });
/** A text result without its JSON quoting. */
const text = (json: string) => (json.startsWith('"') ? (JSON.parse(json) as string) : json);

describe('geometries', () => {
  it.each(SHAPES)('%s', (_, hex, wkt, geoJson) => {
    expect(text(value('st_astext(g)', hex))).toBe(wkt);
    expect(text(value('st_asgeojson(g)', hex))).toBe(geoJson);
    expect(text(value('st_astext(g)', hex.toUpperCase()))).toBe(wkt);
    expect(text(value('st_astext(g)', new Uint8Array(Buffer.from(hex, 'hex'))))).toBe(wkt);
  });

  it.each([
    [0.1, '0.1'],
    [-0.5, '-0.5'],
    [100, '100'],
    [123456789.12345679, '123456789.12345679'],
    [0.1 + 0.2, '0.3'],
    [1e-7, '0.0000001'],
    [1e-9, '1e-9'],
    [999999999999999, '999999999999999'],
    [1e15, '1e+15'],
    [1.5e300, '1.5e+300'],
    [-0, '0'],
  ])('writes the ordinate %s as %s in WKT', (ordinate, expected) => {
    expect(text(value('st_astext(g)', point(ordinate, 0)))).toBe(`POINT(${expected} 0)`);
  });

  it.each([
    ['st_x(g)', point(1, 2.5), '1.0'],
    ['st_y(g)', point(1, 2.5), '2.5'],
    ['st_y(g)', header(0xc0000001, 4326) + at(1, 2, 3, 4), '2.0'],
    ['st_x(g)', point(NaN, NaN), 'null'],
    ['st_x(g)', header(2) + line, 'null'],
    ['st_y(g)', header(4) + list(point(1, 2)), 'null'],
  ])('%s of %s is %s', (expression, hex, expected) => {
    expect(value(expression, hex)).toBe(expected);
  });

  it.each(['st_asgeojson', 'st_astext', 'st_x', 'st_y'])('%s of NULL is NULL', (name) => {
    expect(value(`${name}(g)`, null)).toBe('null');
  });

  it.each([
    ['no hex', 'POINT(1 2)'],
    ['an odd number of digits', point(1, 2).slice(0, -1)],
    ['a text that is cut off', point(1, 2).slice(0, -2)],
    ['trailing bytes', `${point(1, 2)}00`],
    ['nothing', ''],
    ['a third byte order', `02${point(1, 2).slice(2)}`],
    ['an unknown type', header(99) + at(1, 2)],
    ['a count that the bytes do not hold', header(2) + uint(0xffffffff)],
    ['a number', 5n],
    ['endless nesting', `${(header(7) + uint(1)).repeat(40)}${header(7)}${list()}`],
  ])('%s is a row error', (_, input) => {
    expect(value('st_astext(g)', input)).toBe('error: A value that should be a geometry is not');
  });

  it('can be read in all languages', () => {
    for (const language of ['definitions', 'alpha', 'compiled'] as const) {
      const yaml = queryIn(language, 'SELECT id, st_x(g) AS r FROM t');
      expect(valueOf(yaml, { id: 'x', g: point(7, 8) })).toBe('7.0');
    }
  });
});
