import { BUILTIN_TYPES, unknownType, type ResolvedType } from './builtin-types.ts';
import { loadTypes, type CatalogQuery } from './catalog-query.ts';
import { columnType, type ColumnType } from './column-type.ts';
import { DEFAULT_TYPE_OPTIONS, type TypeOptions } from './type-options.ts';

/**
 * Knows how each type of one database is read. Built-in types are known from the start, others
 * after `ensure`. What the catalog says now may differ from when an older change was written;
 * values of types that are gone come as their text.
 */
export class TypeCatalog {
  readonly #options: TypeOptions;
  readonly #resolved = new Map<number, ResolvedType>(BUILTIN_TYPES);
  readonly #columnTypes = new Map<number, ColumnType>();

  constructor(options: TypeOptions = DEFAULT_TYPE_OPTIONS) {
    this.#options = options;
  }

  /**
   * Reads the types that are not yet known, inner types included. Repeatable, and free when all
   * are known. `refresh` reads user-defined ones again, for when a type may have been altered.
   */
  async ensure(
    query: CatalogQuery,
    typeOids: Iterable<number>,
    { refresh = false }: { readonly refresh?: boolean | undefined } = {},
  ): Promise<void> {
    const wanted = [...new Set(typeOids)].filter((oid) =>
      refresh ? !BUILTIN_TYPES.has(oid) : !this.#resolved.has(oid),
    );
    if (wanted.length === 0) return;
    for (const [oid, resolved] of await loadTypes(query, wanted)) {
      this.#resolved.set(oid, resolved);
      this.#columnTypes.delete(oid);
    }
  }

  /** How columns of a type are read; a type that was never loaded is text. */
  columnType(typeOid: number): ColumnType {
    const known = this.#columnTypes.get(typeOid);
    if (known) return known;
    const resolved = this.#resolved.get(typeOid) ?? unknownType(typeOid);
    const created = columnType(resolved, this.#options);
    this.#columnTypes.set(typeOid, created);
    return created;
  }
}
