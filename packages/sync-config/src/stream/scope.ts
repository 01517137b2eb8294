import type { Fix, Reporter, Span } from '../diagnostics.ts';
import type { NameSyntax } from '../expr/bind-context.ts';
import { constant, type Expression } from '../expr/expression.ts';
import { mistakenRequestName } from '../expr/request-names.ts';
import type { Identifier } from '../sql/syntax.ts';
import { quoteName } from '../sql/quote-name.ts';
import { didYouMean } from '../suggest.ts';
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
  | {
      readonly kind: 'derived';
      readonly columns: ReadonlyMap<string, Expression>;
      /** Could not be read, so that nobody knows its columns. */
      readonly isBroken: boolean;
    };

/** The names of one FROM; an unknown name is looked for in the enclosing query. */
export class Scope {
  readonly #entries = new Map<string, ScopeEntry>();
  readonly #parent: Scope | undefined;
  readonly #report: Reporter;
  readonly #reported = new Set<string>();
  #isBroken = false;

  constructor(parent: Scope | undefined, report: Reporter) {
    this.#parent = parent;
    this.#report = report;
  }

  declare(name: Identifier, entry: ScopeEntry): void {
    const key = name.name.toLowerCase();
    if (this.#entries.has(key)) {
      const message = `There are two tables named ${name.name} in this query`;
      const { end } = name;
      const edit = { start: end, end, text: ` ${key}2` };
      const fix = {
        text: 'Give one of them another alias',
        edit: /^\w+$/.test(key) ? edit : undefined,
      };
      this.#report.error('DUPLICATE_NAME', name, message, fix);
    }
    this.#entries.set(key, entry);
  }

  /** Says that something in FROM could not be read: names that are not known may come from there. */
  declareBroken(): void {
    this.#isBroken = true;
  }

  get isAnyBroken(): boolean {
    return this.#isBroken || this.#parent?.isAnyBroken === true;
  }

  /** Whether something in FROM is not known, so that nothing is to be said to be missing. */
  get isUncertain(): boolean {
    const isBroken = (entry: ScopeEntry) => entry.kind === 'derived' && entry.isBroken;
    return this.isAnyBroken || this.entries().some(isBroken);
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
    if (!this.isAnyBroken) this.reportUnknownTable(qualifier, column, schema);
    return constant(null, name);
  }

  /** Says that no table of this query has the name in front of a dot. */
  reportUnknownTable(qualifier: Identifier, column: Identifier, schema?: Identifier): void {
    const mistaken = mistakenRequestName('stream', qualifier, column);
    if (mistaken !== undefined) {
      this.#report.error('UNKNOWN_TABLE', qualifier, mistaken.message, mistaken.fix);
      return;
    }
    // Once for each name: it is probably one mistake, such as an alias that is not there.
    if (this.#reported.has(qualifier.name)) return;
    this.#reported.add(qualifier.name);
    const known = this.names();
    const hidden = this.#aliasOf(qualifier.name);
    const place = { start: (schema ?? qualifier).start, end: qualifier.end };
    const fix =
      hidden === undefined
        ? (didYouMean(place, qualifier.name, known, quoteName) ?? unknownTableFix(place, known))
        : { text: `Write ${hidden}, its alias`, edit: { ...place, text: quoteName(hidden) } };
    const written = schema === undefined ? qualifier.raw : `${schema.raw}.${qualifier.raw}`;
    const message = `There is no table ${written} in this query`;
    this.#report.error('UNKNOWN_TABLE', schema ?? qualifier, message, fix);
  }

  /** The alias that hides a table's own name. */
  #aliasOf(table: string): string | undefined {
    for (const [name, entry] of this.#entries) {
      if (entry.kind === 'table' && entry.hasAlias && entry.table.pattern.name === table)
        return name;
    }
    return this.#parent === undefined ? undefined : this.#parent.#aliasOf(table);
  }

  /** The names in FROM, and in that of enclosing queries. */
  names(): string[] {
    const outer = this.#parent === undefined ? [] : this.#parent.names();
    return [...this.#entries.keys(), ...outer];
  }

  #unqualified(name: NameSyntax, column: Identifier): Expression {
    const [only, ...others] = this.entries();
    if (this.#isBroken) return constant(null, name);
    if (others.length > 0) {
      this.#reportAmbiguous(column);
      return constant(null, name);
    }
    if (only !== undefined) return this.#column(name, column, only);
    if (this.#parent !== undefined) return this.#parent.#unqualified(name, column);
    const message = `There is no FROM that ${column.raw} could come from`;
    const { start, end, raw, quoted } = column;
    const fix = quoted
      ? { text: `Write '${raw}' if it is a text`, edit: { start, end, text: `'${raw}'` } }
      : 'Add FROM and the table';
    this.#report.error('UNKNOWN_TABLE', name, message, fix);
    return constant(null, name);
  }

  #reportAmbiguous(column: Identifier): void {
    const known = this.names();
    const owners = [...this.#entries].filter(([, entry]) => hasColumn(entry, column.name));
    const [owner] = owners.length === 1 ? (owners[0] ?? []) : [];
    const message = `${column.raw} could belong to any of ${known.join(', ')}`;
    const written = column.quoted ? `"${column.raw}"` : column.raw;
    const { start, end } = column;
    const edit =
      owner === undefined ? undefined : { start, end: start, text: `${quoteName(owner)}.` };
    const fix = { text: `Write ${owner ?? 'table'}.${written}`, edit };
    const asText = {
      text: `Write '${column.raw}' if it is a text`,
      edit: { start, end, text: `'${column.raw}'` },
    };
    const isText = column.quoted && owner === undefined;
    this.#report.error('AMBIGUOUS_COLUMN', column, message, isText ? asText : fix);
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
    if (entry.kind === 'derived' && entry.isBroken) return constant(null, name);
    if (known.includes(column.name)) {
      if (entry.kind === 'each') {
        const { source } = entry;
        return { kind: 'column', source, column: column.name, isElement: true, ...span };
      }
      const value = entry.columns.get(column.name);
      if (value !== undefined) return { ...value, ...span };
    }
    const fix: string | Fix =
      didYouMean(column, column.name, known, quoteName) ?? `Known: ${known.join(', ')}`;
    const what = entry.kind === 'each' ? 'json_each' : 'this subquery';
    const message = `There is no column ${column.raw} in ${what}`;
    this.#report.error('UNKNOWN_TABLE', column, message, fix);
    return constant(null, name);
  }
}

function unknownTableFix({ start, end }: Span, known: readonly string[]): string | Fix {
  const [only, second] = known;
  if (only === undefined) return 'Add FROM and the table';
  if (second !== undefined) return `Known: ${known.join(', ')}`;
  const text = quoteName(only);
  return { text: `Write ${text}`, edit: { start, end, text } };
}

/** Whether the live schema, or a subquery, has such a column. */
function hasColumn(entry: ScopeEntry, name: string): boolean {
  if (entry.kind === 'each') return name === 'value' || name === 'key';
  if (entry.kind === 'derived') return entry.columns.has(name);
  const tables = entry.table.liveTables ?? [];
  return tables.some(({ columns }) => columns.some((column) => column.name === name));
}

/** An alias hides the schema together with the table's own name. */
function isInSchema(entry: ScopeEntry, schema: Identifier): boolean {
  return entry.kind === 'table' && !entry.hasAlias && entry.table.pattern.schema === schema.name;
}
