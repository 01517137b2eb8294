import type { Operator } from '../dialect.ts';
import { EvaluationFailure } from '../failure.ts';
import type { Present } from '../present.ts';
import { strictUnary } from '../shapes.ts';
import { formatGeoJson, formatWkt } from './format-geometry.ts';
import type { Geometry } from './geometry.ts';
import { readWkb } from './read-wkb.ts';

/** The functions over geometries, which arrive as hex text or BLOB. Source: spec/sync-config.md 5. */
export function createGeometryFunctions(): [string, Operator][] {
  return [
    ['st_asgeojson', strictUnary((value) => formatGeoJson(toGeometry(value)))],
    ['st_astext', strictUnary((value) => formatWkt(toGeometry(value)))],
    ['st_x', strictUnary((value) => ordinate(toGeometry(value), 0))],
    ['st_y', strictUnary((value) => ordinate(toGeometry(value), 1))],
  ];
}

/** @throws EvaluationFailure */
function toGeometry(value: Present): Geometry {
  if (typeof value === 'object') return readWkb(value);
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})+$/i.test(value)) {
    throw new EvaluationFailure('A value that should be a geometry is not');
  }
  return readWkb(Buffer.from(value, 'hex'));
}

function ordinate(geometry: Geometry, index: 0 | 1): number | null {
  return geometry.shape === 'point' ? (geometry.position?.[index] ?? null) : null;
}
