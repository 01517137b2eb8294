import { must } from '@sluice/base';
import { BUILTIN_TYPES, unknownType, type ResolvedType } from './builtin-types.ts';
import type { CompositeMember, PgType } from './pg-type.ts';

/** Runs one statement without parameters; all values asked for are text or null. */
export type CatalogQuery = (
  sql: string,
) => Promise<readonly Readonly<Record<string, string | null>>[]>;

type CatalogRow = Readonly<Record<string, string | null>>;

/**
 * Reads types and all that they are made of. Every wanted oid is in the answer; one that the catalog
 * does not have is text.
 */
export async function loadTypes(
  query: CatalogQuery,
  wanted: readonly number[],
): Promise<ReadonlyMap<number, ResolvedType>> {
  const rows = new Map<number, CatalogRow>();
  const members = new Map<number, CatalogRow[]>();
  const asked = new Set<number>();
  let missing = [...wanted];
  // Ends because each round asks only for oids that no earlier round asked for.
  while (missing.length > 0) {
    for (const oid of missing) asked.add(oid);
    const found = await query(typesSql(missing));
    for (const row of found) rows.set(Number(row['oid']), row);
    const relations = found
      .filter((row) => row['kind'] === 'c')
      .map((row) => Number(row['relation']));
    const attributes = relations.length === 0 ? [] : await query(attributesSql(relations));
    for (const attribute of attributes) pushTo(members, Number(attribute['relation']), attribute);
    const inner = [...found.flatMap(innerOids), ...attributes.map((row) => Number(row['type']))];
    missing = [...new Set(inner)].filter((oid) => !asked.has(oid) && !BUILTIN_TYPES.has(oid));
  }
  const builder = new TypeBuilder(rows, members);
  return new Map([...asked].map((oid) => [oid, builder.resolve(oid)]));
}

/** Puts catalog rows together, from the inside out. */
class TypeBuilder {
  readonly #rows: ReadonlyMap<number, CatalogRow>;
  readonly #members: ReadonlyMap<number, readonly CatalogRow[]>;
  readonly #resolved = new Map<number, ResolvedType>();

  constructor(
    rows: ReadonlyMap<number, CatalogRow>,
    members: ReadonlyMap<number, readonly CatalogRow[]>,
  ) {
    this.#rows = rows;
    this.#members = members;
  }

  resolve(oid: number): ResolvedType {
    const known = this.#resolved.get(oid) ?? BUILTIN_TYPES.get(oid);
    if (known) return known;
    const row = this.#rows.get(oid);
    // Stands in while the inner types are resolved, so that a cycle would end in text.
    this.#resolved.set(oid, unknownType(oid));
    if (!row) return unknownType(oid);
    const type = this.#build(oid, row);
    const resolved = {
      type,
      toastable: row['toastable'] === 'true',
      hasTextCast:
        row['kind'] === 'd'
          ? this.resolve(Number(row['base'])).hasTextCast // a domain is cast as its base
          : row['has_text_cast'] === 'true',
    };
    this.#resolved.set(oid, resolved);
    return resolved;
  }

  #build(oid: number, row: CatalogRow): PgType {
    const name = must(row['name'], 'the name of a type');
    const inner = (column: string) => this.resolve(Number(row[column])).type;
    if (row['kind'] === 'e') return { kind: 'enum', oid, name };
    if (row['kind'] === 'd') return { kind: 'domain', oid, name, base: inner('base') };
    if (row['kind'] === 'c') {
      return { kind: 'composite', oid, name, members: this.#compositeMembers(row) };
    }
    if (row['kind'] === 'r') return { kind: 'range', oid, name, bound: inner('range_bound') };
    if (row['kind'] === 'm') {
      return { kind: 'multirange', oid, name, bound: inner('multirange_bound') };
    }
    if (row['output'] === 'array_out') {
      const element = inner('element');
      const delimiter = row['delimiter'] ?? ',';
      return { kind: 'array', oid, name: `${element.name}[]`, element, delimiter };
    }
    return { kind: 'scalar', oid, name, scalar: 'text' };
  }

  #compositeMembers(row: CatalogRow): readonly CompositeMember[] {
    return (this.#members.get(Number(row['relation'])) ?? []).map((attribute) => ({
      name: must(attribute['name'], 'the name of an attribute'),
      type: this.resolve(Number(attribute['type'])).type,
    }));
  }
}

function innerOids(row: CatalogRow): number[] {
  const columns = ['base', 'range_bound', 'multirange_bound'];
  if (row['output'] === 'array_out') columns.push('element');
  return columns.map((column) => Number(row[column])).filter((oid) => oid > 0);
}

function pushTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

function typesSql(oids: readonly number[]): string {
  return `
    SELECT t.oid::text AS oid, t.typname::text AS name, t.typtype::text AS kind,
      t.typdelim::text AS delimiter, t.typelem::text AS element, t.typbasetype::text AS base,
      t.typrelid::text AS relation, o.prosrc AS output,
      r.rngsubtype::text AS range_bound, m.rngsubtype::text AS multirange_bound,
      (t.typlen = -1 AND t.typstorage <> 'p')::text AS toastable,
      EXISTS (SELECT FROM pg_catalog.pg_cast c
        WHERE c.castsource = t.oid AND c.casttarget = 'pg_catalog.text'::regtype
      )::text AS has_text_cast
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_proc o ON o.oid = t.typoutput
    LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
    LEFT JOIN pg_catalog.pg_range m ON m.rngmultitypid = t.oid
    WHERE t.oid IN (${oids.join(', ')})`;
}

function attributesSql(relations: readonly number[]): string {
  return `
    SELECT a.attrelid::text AS relation, a.attname::text AS name, a.atttypid::text AS type
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid IN (${relations.join(', ')}) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum`;
}
