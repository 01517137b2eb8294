import type { Reporter } from '../diagnostics.ts';
import type { NameSyntax } from '../expr/bind.ts';
import { constant, type Expression } from '../expr/expression.ts';
import type { Identifier } from '../sql/syntax.ts';
import { suggest } from '../suggest.ts';
import { checkColumn, type TableReference } from '../tables/table-reference.ts';

/** What a name in FROM gives access to. */
export type ScopeEntry =
  | {
      readonly kind: 'table';
      readonly source: number;
      readonly table: TableReference;
      readonly hasAlias: boolean;
      /** Whether `_table_suffix` is what a wildcard matched (edition 2). */
      readonly hasSuffixColumn: boolean;
    }
  | { readonly kind: 'each'; readonly source: number }
  /** A subquery or CTE: its columns are expressions over its own sources. */
  | { readonly kind: 'derived'; readonly columns: ReadonlyMap<string, Expression> };

/** The names of one FROM; an unknown name is looked for in the enclosing query. */
export class Scope {
  readonly #entries = new Map<string, ScopeEntry>();
  readonly #parent: Scope | undefined;
  readonly #report: Reporter;

  constructor(parent: Scope | undefined, report: Reporter) {
    this.#parent = parent;
    this.#report = report;
  }

  declare(name: Identifier, entry: ScopeEntry): void {
    const key = name.name.toLowerCase();
    if (this.#entries.has(key)) {
      const message = `There are two tables named ${name.name} in this query`;
      this.#report.error('DUPLICATE_NAME', name, message, 'Give one of them another alias');
    }
    this.#entries.set(key, entry);
  }

  find(name: string): ScopeEntry | undefined {
    return this.#entries.get(name.toLowerCase()) ?? this.#parent?.find(name);
  }

  /** Own entries, not those of enclosing queries. */
  entries(): readonly ScopeEntry[] {
    return [...this.#entries.values()];
  }

  resolve(name: NameSyntax): Expression {
    const column = name.parts.at(-1);
    const qualifier = name.parts.at(-2);
    if (column === undefined) return constant(null, name);
    if (qualifier === undefined) return this.#unqualified(name, column);
    const entry = this.find(qualifier.name);
    const schema = name.parts.at(-3);
    if (entry !== undefined && (schema === undefined || isInSchema(entry, schema))) {
      return this.#column(name, column, entry);
    }
    const known = this.#names();
    const fix =
      suggest(qualifier.name, known) ??
      (known.length > 0 ? `Known: ${known.join(', ')}` : undefined);
    const written = schema === undefined ? qualifier.name : `${schema.name}.${qualifier.name}`;
    const message = `There is no table ${written} in this query`;
    this.#report.error('UNKNOWN_TABLE', schema ?? qualifier, message, fix);
    return constant(null, name);
  }

  #names(): string[] {
    const outer = this.#parent === undefined ? [] : this.#parent.#names();
    return [...this.#entries.keys(), ...outer];
  }

  #unqualified(name: NameSyntax, column: Identifier): Expression {
    const [only, ...others] = this.entries();
    if (others.length > 0) {
      const known = this.#names();
      const message = `${column.name} could belong to any of ${known.join(', ')}`;
      this.#report.error('AMBIGUOUS_COLUMN', name, message, `Write table.${column.name}`);
      return constant(null, name);
    }
    if (only !== undefined) return this.#column(name, column, only);
    if (this.#parent !== undefined) return this.#parent.#unqualified(name, column);
    this.#report.error(
      'UNKNOWN_TABLE',
      name,
      `There is no FROM that ${column.name} could come from`,
    );
    return constant(null, name);
  }

  #column(name: NameSyntax, column: Identifier, entry: ScopeEntry): Expression {
    const span = { start: name.start, end: name.end };
    if (entry.kind === 'table' && entry.hasSuffixColumn && column.name === '_table_suffix') {
      return { kind: 'table fact', source: entry.source, fact: 'legacy suffix', ...span };
    }
    if (entry.kind === 'table') {
      checkColumn(column, entry.table, this.#report);
      return { kind: 'column', source: entry.source, column: column.name, ...span };
    }
    const known = entry.kind === 'each' ? ['value', 'key'] : [...entry.columns.keys()];
    if (known.includes(column.name)) {
      if (entry.kind === 'each') {
        const { source } = entry;
        return { kind: 'column', source, column: column.name, isElement: true, ...span };
      }
      const value = entry.columns.get(column.name);
      if (value !== undefined) return { ...value, ...span };
    }
    const message = `There is no column ${column.name} here`;
    this.#report.error('UNKNOWN_TABLE', column, message, `Known: ${known.join(', ')}`);
    return constant(null, name);
  }
}

/** An alias hides the schema together with the table's own name. */
function isInSchema(entry: ScopeEntry, schema: Identifier): boolean {
  return entry.kind === 'table' && !entry.hasAlias && entry.table.pattern.schema === schema.name;
}
