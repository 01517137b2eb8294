/** A position: x, y, then z and m where the geometry has them. */
export type Position = readonly number[];

/** Which ordinates besides x and y the positions have. */
export interface Dimensions {
  readonly hasZ: boolean;
  readonly hasM: boolean;
}

/** A geometry as (E)WKB holds it. A point without position is empty. */
export type Geometry = Dimensions & {
  readonly type: GeometryType;
} & (
    | { readonly shape: 'point'; readonly position: Position | undefined }
    | { readonly shape: 'positions'; readonly positions: readonly Position[] }
    | { readonly shape: 'rings'; readonly rings: readonly (readonly Position[])[] }
    | { readonly shape: 'members'; readonly members: readonly Geometry[] }
  );

export type GeometryType = keyof typeof GEOMETRY_TYPES;

/**
 * The types of OGC and SQL/MM as PostGIS writes them: number in WKB, layout of the body, and whether
 * WKT repeats the type in front of members (`always`), or only of those that are not of the usual
 * type (the name given).
 */
export const GEOMETRY_TYPES = {
  Point: { code: 1, shape: 'point' },
  LineString: { code: 2, shape: 'positions' },
  Polygon: { code: 3, shape: 'rings' },
  MultiPoint: { code: 4, shape: 'members', untagged: 'Point' },
  MultiLineString: { code: 5, shape: 'members', untagged: 'LineString' },
  MultiPolygon: { code: 6, shape: 'members', untagged: 'Polygon' },
  GeometryCollection: { code: 7, shape: 'members', untagged: undefined },
  CircularString: { code: 8, shape: 'positions' },
  CompoundCurve: { code: 9, shape: 'members', untagged: 'LineString' },
  CurvePolygon: { code: 10, shape: 'members', untagged: 'LineString' },
  MultiCurve: { code: 11, shape: 'members', untagged: 'LineString' },
  MultiSurface: { code: 12, shape: 'members', untagged: 'Polygon' },
  PolyhedralSurface: { code: 15, shape: 'members', untagged: 'Polygon' },
  Tin: { code: 16, shape: 'members', untagged: 'Triangle' },
  Triangle: { code: 17, shape: 'rings' },
} as const;

/** Whether there is no position in it anywhere. */
export function isEmpty(geometry: Geometry): boolean {
  switch (geometry.shape) {
    case 'point':
      return geometry.position === undefined;
    case 'positions':
      return geometry.positions.length === 0;
    case 'rings':
      return geometry.rings.every((ring) => ring.length === 0);
    case 'members':
      return geometry.members.length === 0;
  }
}
