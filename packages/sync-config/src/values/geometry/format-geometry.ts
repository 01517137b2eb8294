import { EvaluationFailure } from '../failure.ts';
import { GEOMETRY_TYPES, isEmpty, type Geometry, type Position } from './geometry.ts';

/** `POINT Z (1 2 3)`, as PostGIS writes it: no space in front of the bracket in two dimensions. */
export function formatWkt(geometry: Geometry): string {
  const { hasZ, hasM } = geometry;
  const suffix = (hasZ ? 'Z' : '') + (hasM ? 'M' : '');
  const tag = geometry.type.toUpperCase() + (suffix === '' ? '' : ` ${suffix} `);
  const body = wktBody(geometry);
  return body === 'EMPTY' ? `${tag.trimEnd()} EMPTY` : tag + body;
}

function wktBody(geometry: Geometry): string {
  if (isEmpty(geometry)) return 'EMPTY';
  switch (geometry.shape) {
    case 'point':
      return wktPositions(geometry.position === undefined ? [] : [geometry.position]);
    case 'positions':
      return wktPositions(geometry.positions);
    case 'rings':
      return `(${geometry.rings.map(wktPositions).join(',')})`;
    case 'members':
      return `(${geometry.members.map((member) => wktMember(geometry, member)).join(',')})`;
  }
}

function wktMember(parent: Geometry, member: Geometry): string {
  const layout = GEOMETRY_TYPES[parent.type];
  const isUsual = 'untagged' in layout && layout.untagged === member.type;
  return isUsual ? wktBody(member) : formatWkt(member);
}

function wktPositions(positions: readonly Position[]): string {
  if (positions.length === 0) return 'EMPTY';
  return `(${positions.map((position) => position.map(wktNumber).join(' ')).join(',')})`;
}

/** At most 15 decimals; exponents below 1e-8 and from 1e15. */
function wktNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e15 || size < 1e-8) return value.toExponential();
  const shortest = String(value);
  const decimals = shortest.split('.')[1]?.length ?? 0;
  if (!shortest.includes('e') && decimals <= 15) return shortest;
  return value.toFixed(15).replace(/\.?0+$/, '');
}

/**
 * GeoJSON text. M is left out, for GeoJSON has no place for it (RFC 7946, 3.1.1); so is the SRID.
 *
 * @throws EvaluationFailure for types that GeoJSON lacks, such as curves.
 */
export function formatGeoJson(geometry: Geometry): string {
  if (geometry.type === 'GeometryCollection' && geometry.shape === 'members') {
    const members = geometry.members.map(formatGeoJson).join(',');
    return `{"type":"GeometryCollection","geometries":[${members}]}`;
  }
  if (GEOMETRY_TYPES[geometry.type].code > 7) {
    throw new EvaluationFailure(`GeoJSON has no type ${geometry.type}`);
  }
  return `{"type":"${geometry.type}","coordinates":${coordinates(geometry)}}`;
}

function coordinates(geometry: Geometry): string {
  const one = (position: Position) => positionJson(position, geometry.hasZ);
  const list = (positions: readonly Position[]) => `[${positions.map(one).join(',')}]`;
  switch (geometry.shape) {
    case 'point':
      return geometry.position === undefined ? '[]' : one(geometry.position);
    case 'positions':
      return list(geometry.positions);
    case 'rings':
      return `[${geometry.rings.map(list).join(',')}]`;
    case 'members':
      return `[${geometry.members.map(coordinates).join(',')}]`;
  }
}

function positionJson(position: Position, hasZ: boolean): string {
  return JSON.stringify(position.slice(0, hasZ ? 3 : 2));
}
