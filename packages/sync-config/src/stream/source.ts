import { REQUEST_SOURCE, sourcesOf, type Expression } from '../expr/expression.ts';
import type { Expansion } from '../plan/queries.ts';
import type { TableReference } from '../tables/table-reference.ts';
import type { Identifier } from '../sql/syntax.ts';

/** Something rows come from, by its number in a query. */
export type Source =
  | {
      readonly kind: 'table';
      readonly id: number;
      readonly table: TableReference;
      readonly alias: Identifier | undefined;
    }
  /** `json_each(input)`; `root` is the table its input reads, or the request. */
  | {
      readonly kind: 'each';
      readonly id: number;
      readonly input: Expression;
      readonly root: number;
      readonly mode: Expansion['mode'];
    };

/** All sources of one query, those of subqueries and CTE mentions included. */
export class SourceList {
  readonly #sources: Source[] = [];

  addTable(table: TableReference, alias: Identifier | undefined): number {
    const id = this.#sources.length;
    this.#sources.push({ kind: 'table', id, table, alias });
    return id;
  }

  /** Adds a json_each; undefined when its input reads several tables, or table and request. */
  addEach(input: Expression, mode: Expansion['mode']): number | undefined {
    const roots = this.rootsOf(input);
    if (roots.size > 1) return undefined;
    const [root = REQUEST_SOURCE] = roots;
    const id = this.#sources.length;
    this.#sources.push({ kind: 'each', id, input, root, mode });
    return id;
  }

  get(id: number): Source | undefined {
    return this.#sources[id];
  }

  /** The tables and request that an expression depends on; a json_each counts as what it reads. */
  rootsOf(expression: Expression): Set<number> {
    return new Set([...sourcesOf(expression)].map((id) => this.rootOf(id)));
  }

  rootOf(id: number): number {
    const source = this.get(id);
    return source?.kind === 'each' ? source.root : id;
  }

  /** The json_each sources over request data that an expression reads. */
  requestEachesOf(expression: Expression): number[] {
    return [...sourcesOf(expression)].filter((id) => {
      const source = this.get(id);
      return source?.kind === 'each' && source.root === REQUEST_SOURCE;
    });
  }
}
