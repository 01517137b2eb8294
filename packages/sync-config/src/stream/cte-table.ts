import type { CompileContext } from '../compile-context.ts';
import { parseSqlText, type ParsedSqlText } from '../sql/parse-sql-text.ts';
import { closest } from '../suggest.ts';
import type { CteDocument } from '../yaml/config-document.ts';
import type { Span } from '../diagnostics.ts';
import { QueryBinder } from './bind-query.ts';
import type { Cte, CteFinder, DerivedSelect } from './bound-select.ts';
import { splitConjunction } from './conjunction-parts.ts';
import { toConjunctions } from './formula.ts';
import { relocate, relocateFormula } from './relocate.ts';
import type { SourceList } from './source.ts';

/** The CTEs that a stream sees. Source: spec/sync-config.md 10.1 rule 5. */
export class CteTable implements CteFinder {
  readonly #byName = new Map<string, CteEntry>();
  readonly #outer: CteTable | undefined;
  /** Names that were looked for in vain: mostly tables, sometimes a misspelt CTE. */
  readonly #misses = new Set<string>();
  /** Of all CTEs in sight, in lower case. */
  readonly #names: ReadonlySet<string>;

  constructor(
    documents: readonly CteDocument[],
    context: CompileContext,
    outer: CteTable | undefined,
  ) {
    this.#outer = outer;
    this.#names = new Set([
      ...(outer === undefined ? [] : outer.#names),
      ...documents.map(({ name }) => name.toLowerCase()),
    ]);
    for (const document of documents) this.#add(document, context);
  }

  #add(document: CteDocument, context: CompileContext): void {
    const key = document.name.toLowerCase();
    if (this.#byName.has(key)) {
      const message = `There are two CTEs named ${document.name}`;
      context.diagnostics.error('DUPLICATE_NAME', document.nameSpan, message, 'Rename one of them');
    }
    const shadowed = context.sourceSchema?.some(
      ({ schema, name }) => schema === context.defaultSchema && name.toLowerCase() === key,
    );
    if (shadowed === true) {
      const message = `The CTE ${document.name} hides the table of the same name`;
      const fix = 'Give the CTE another name';
      context.diagnostics.warn('CTE_SHADOWS_TABLE', document.nameSpan, message, fix);
    }
    const others = new OtherCtes(key, this.#names);
    this.#byName.set(key, new CteEntry(document, context, others));
  }

  find(name: string): Cte | undefined {
    const own = this.#byName.get(name.toLowerCase());
    if (own === undefined) {
      this.#misses.add(name);
      return this.#outer?.find(name);
    }
    own.isUsed = true;
    return own;
  }

  isHidden(): boolean {
    return false;
  }

  /** To be called when everything that may use them is compiled. */
  warnUnused(context: CompileContext): void {
    // A query that cannot be read may be the one that uses it.
    if (context.diagnostics.hasSyntaxErrors) return;
    for (const { document, isUsed } of this.#byName.values()) {
      if (isUsed) continue;
      const message = `The CTE ${document.name} is not used`;
      const near = closest(document.name, this.#misses);
      const fix =
        near === undefined ? 'Remove it' : `Is ${near} in a query meant to be ${document.name}?`;
      context.diagnostics.warn('UNUSED_CTE', document.nameSpan, message, fix);
    }
  }
}

/** What a CTE sees of the others: that they exist. Its own name means the table of that name. */
class OtherCtes implements CteFinder {
  readonly #own: string;
  readonly #names: ReadonlySet<string>;

  constructor(own: string, names: ReadonlySet<string>) {
    this.#own = own;
    this.#names = names;
  }

  find(): undefined {
    return undefined;
  }

  isHidden(name: string): boolean {
    const key = name.toLowerCase();
    return key !== this.#own && this.#names.has(key);
  }
}

class CteEntry implements Cte {
  readonly document: CteDocument;
  isUsed = false;
  readonly isBroken: boolean;
  readonly #others: CteFinder;
  readonly #parsed: ParsedSqlText;
  readonly #context: CompileContext;

  constructor(document: CteDocument, context: CompileContext, others: CteFinder) {
    this.#others = others;
    this.document = document;
    this.#context = context;
    const { diagnostics } = context;
    const errorsBefore = diagnostics.errorCount;
    const parsed = parseSqlText(document.query, diagnostics, context);
    this.#parsed = parsed ?? EMPTY;
    // Checks the text also where nobody mentions it, and where its problems can be pointed at.
    if (parsed !== undefined) this.#check(parsed);
    this.isBroken = diagnostics.errorCount > errorsBefore;
  }

  #check(parsed: ParsedSqlText): void {
    const binder = new QueryBinder(parsed, this.#context, this.#others);
    const { bound } = binder.bindDerived(parsed.select, undefined, undefined);
    for (const conjunction of toConjunctions(bound.condition, binder.sources) ?? []) {
      splitConjunction(conjunction, bound.sources, binder.sources, parsed.report);
    }
  }

  bind(into: SourceList, mention: Span): DerivedSelect {
    const parsed = this.isBroken ? EMPTY : this.#parsed;
    const binder = new QueryBinder(parsed, this.#context, this.#others, into);
    const { columns, bound } = binder.bindDerived(parsed.select, undefined, undefined);
    return {
      columns: new Map([...columns].map(([name, value]) => [name, relocate(value, mention)])),
      bound: { ...bound, condition: relocateFormula(bound.condition, mention) },
    };
  }
}

/** Stands for a CTE that has errors, which have been reported. */
const EMPTY: ParsedSqlText = {
  sql: '',
  isComplete: false,
  select: { distinct: undefined, columns: [], from: [], conditions: [], start: 0, end: 0 },
  report: { error: () => {}, warn: () => {}, info: () => {} },
};
