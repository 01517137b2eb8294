import type { PgType, ScalarKind } from './pg-type.ts';

/**
 * The built-in types that are read without asking the catalog: those that are not plain text, and
 * the most common ones that are. Oids below 10000 never change. All others come from the catalog.
 */
const BUILTINS: readonly (readonly [
  oid: number,
  arrayOid: number,
  name: string,
  scalar: ScalarKind,
  toastable: boolean,
])[] = [
  [16, 1000, 'bool', 'bool', false],
  [17, 1001, 'bytea', 'bytea', true],
  [19, 1003, 'name', 'text', false],
  [20, 1016, 'int8', 'integer', false],
  [21, 1005, 'int2', 'integer', false],
  [23, 1007, 'int4', 'integer', false],
  [25, 1009, 'text', 'text', true],
  [26, 1028, 'oid', 'integer', false],
  [114, 199, 'json', 'json', true],
  [700, 1021, 'float4', 'float', false],
  [701, 1022, 'float8', 'float', false],
  [1042, 1014, 'bpchar', 'text', true],
  [1043, 1015, 'varchar', 'text', true],
  [1082, 1182, 'date', 'date', false],
  [1083, 1183, 'time', 'time', false],
  [1114, 1115, 'timestamp', 'timestamp', false],
  [1184, 1185, 'timestamptz', 'timestamptz', false],
  [1186, 1187, 'interval', 'text', false],
  [1700, 1231, 'numeric', 'text', true],
  [2950, 2951, 'uuid', 'text', false],
  [3220, 3221, 'pg_lsn', 'lsn', false],
  [3802, 3807, 'jsonb', 'json', true],
];

/** What the catalog says of a type, as far as decoding needs it. */
export interface ResolvedType {
  readonly type: PgType;
  /** Whether an update may leave the value out because it is stored out of line. */
  readonly toastable: boolean;
  /** Whether a cast to text is defined that may differ from the type's output form. */
  readonly hasTextCast: boolean;
}

/** The built-in types by oid, their arrays included. */
export const BUILTIN_TYPES: ReadonlyMap<number, ResolvedType> = new Map<number, ResolvedType>(
  BUILTINS.flatMap(([oid, arrayOid, name, scalar, toastable]) => {
    const element: PgType = { kind: 'scalar', oid, name, scalar };
    const array: PgType = {
      kind: 'array',
      oid: arrayOid,
      name: `${name}[]`,
      element,
      delimiter: ',',
    };
    return [
      [oid, { type: element, toastable, hasTextCast: false }],
      [arrayOid, { type: array, toastable: true, hasTextCast: false }],
    ] satisfies [number, ResolvedType][];
  }),
);

/** Nothing may be assumed of it: it can be large, and a cast may change its text. */
export function unknownType(oid: number): ResolvedType {
  const type = { kind: 'scalar', oid, name: `oid ${oid}`, scalar: 'text' } as const;
  return { type, toastable: true, hasTextCast: true };
}
