import type { SqliteValue } from '@sluice/model';
import type { Operator } from '../dialect.ts';
import { EvaluationFailure } from '../failure.ts';
import { strict1 } from '../operators.ts';
import { formatGeoJson, formatWkt } from './format-geometry.ts';
import type { Geometry } from './geometry.ts';
import { readWkb } from './read-wkb.ts';

/** The functions over geometries, which arrive as hex text or BLOB. Source: spec/sync-config.md 5. */
export function createGeometryFunctions(): [string, Operator][] {
  return [
    ['st_asgeojson', strict1((value) => formatGeoJson(toGeometry(value)))],
    ['st_astext', strict1((value) => formatWkt(toGeometry(value)))],
    ['st_x', strict1((value) => ordinate(toGeometry(value), 0))],
    ['st_y', strict1((value) => ordinate(toGeometry(value), 1))],
  ];
}

/** @throws EvaluationFailure */
function toGeometry(value: Exclude<SqliteValue, null>): Geometry {
  if (typeof value === 'object') return readWkb(value);
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})+$/i.test(value)) {
    throw new EvaluationFailure('A value that should be a geometry is not');
  }
  return readWkb(Buffer.from(value, 'hex'));
}

function ordinate(geometry: Geometry, index: 0 | 1): number | null {
  return geometry.shape === 'point' ? (geometry.position?.[index] ?? null) : null;
}
