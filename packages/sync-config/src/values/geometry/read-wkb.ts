import { EvaluationFailure } from '../failure.ts';
import {
  GEOMETRY_TYPES,
  type Dimensions,
  type Geometry,
  type GeometryType,
  type Position,
} from './geometry.ts';

const EWKB_Z = 0x80000000;
const EWKB_M = 0x40000000;
const EWKB_SRID = 0x20000000;
/** Bounds the recursion on hostile input; real collections are nested two or three deep. */
const MAX_DEPTH = 32;

const TYPE_BY_CODE = new Map<number, GeometryType>(
  (Object.keys(GEOMETRY_TYPES) as GeometryType[]).map((type) => [GEOMETRY_TYPES[type].code, type]),
);

/**
 * Reads a geometry in WKB: OGC's (2D), SQL/MM's (type + 1000 for Z, 2000 for M, 3000 for both) or
 * PostGIS's EWKB (flags for Z, M and SRID in the type). The SRID is read over.
 *
 *     byte order (0 big, 1 little endian) | u32 type | [u32 SRID] | body
 *
 * @throws EvaluationFailure for everything else, trailing bytes among it.
 */
export function readWkb(bytes: Uint8Array): Geometry {
  const reader = new WkbReader(bytes);
  const geometry = reader.geometry(0);
  if (!reader.isAtEnd()) throw malformed();
  return geometry;
}

class WkbReader {
  readonly #view: DataView;
  #at = 0;
  #littleEndian = false;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  isAtEnd(): boolean {
    return this.#at === this.#view.byteLength;
  }

  geometry(depth: number): Geometry {
    if (depth > MAX_DEPTH) throw malformed();
    const { type, hasZ, hasM } = this.#header();
    const dimensions = { hasZ, hasM };
    switch (GEOMETRY_TYPES[type].shape) {
      case 'point':
        return { type, ...dimensions, shape: 'point', position: this.#point(dimensions) };
      case 'positions':
        return { type, ...dimensions, shape: 'positions', positions: this.#positions(dimensions) };
      case 'rings': {
        const rings = this.#list(4, () => this.#positions(dimensions));
        return { type, ...dimensions, shape: 'rings', rings };
      }
      case 'members': {
        const members = this.#list(9, () => this.geometry(depth + 1));
        return { type, ...dimensions, shape: 'members', members };
      }
    }
  }

  #header(): Dimensions & { type: GeometryType } {
    this.#need(5);
    const order = this.#view.getUint8(this.#at);
    if (order > 1) throw malformed();
    this.#littleEndian = order === 1;
    this.#at++;
    const code = this.#uint32();
    if ((code & EWKB_SRID) !== 0) this.#uint32();
    const plain = code & 0x0fffffff;
    const iso = Math.floor(plain / 1000);
    const type = TYPE_BY_CODE.get(plain % 1000);
    if (type === undefined || iso > 3) throw malformed();
    return {
      type,
      hasZ: (code & EWKB_Z) !== 0 || iso === 1 || iso === 3,
      hasM: (code & EWKB_M) !== 0 || iso === 2 || iso === 3,
    };
  }

  /** WKB has no count for a point; an empty one has NaN for every ordinate. */
  #point(dimensions: Dimensions): Position | undefined {
    const position = this.#position(dimensions);
    return position.every(Number.isNaN) ? undefined : position;
  }

  #positions(dimensions: Dimensions): Position[] {
    return this.#list(8 * width(dimensions), () => this.#position(dimensions));
  }

  #position(dimensions: Dimensions): Position {
    const length = width(dimensions);
    this.#need(8 * length);
    return Array.from({ length }, () => {
      const ordinate = this.#view.getFloat64(this.#at, this.#littleEndian);
      this.#at += 8;
      return ordinate;
    });
  }

  /** A counted list; the count is believed only as far as there are bytes for it. */
  #list<T>(minItemBytes: number, read: () => T): T[] {
    const count = this.#uint32();
    this.#need(count * minItemBytes);
    // A member may be in the other byte order.
    const littleEndian = this.#littleEndian;
    return Array.from({ length: count }, () => {
      this.#littleEndian = littleEndian;
      return read();
    });
  }

  #uint32(): number {
    this.#need(4);
    const value = this.#view.getUint32(this.#at, this.#littleEndian);
    this.#at += 4;
    return value;
  }

  #need(bytes: number): void {
    if (this.#at + bytes > this.#view.byteLength) throw malformed();
  }
}

function width({ hasZ, hasM }: Dimensions): number {
  return 2 + (hasZ ? 1 : 0) + (hasM ? 1 : 0);
}

function malformed(): EvaluationFailure {
  return new EvaluationFailure('A value that should be a geometry is not');
}
