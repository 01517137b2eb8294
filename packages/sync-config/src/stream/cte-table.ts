import type { CompileContext } from '../compile-context.ts';
import { parseSqlText, type ParsedSqlText } from '../sql/parse-sql-text.ts';
import type { CteDocument } from '../yaml/config-document.ts';
import { QueryBinder } from './bind-query.ts';
import type { Cte, CteFinder, DerivedSelect } from './bound-select.ts';
import type { SourceList } from './source.ts';

/** The CTEs that a stream sees. Source: spec/sync-config.md 10.1 rule 5. */
export class CteTable implements CteFinder {
  readonly #byName = new Map<string, CteEntry>();
  readonly #outer: CteTable | undefined;
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
      context.diagnostics.error('DUPLICATE_NAME', document.nameSpan, message);
    }
    const shadowed = context.sourceSchema?.some(
      ({ schema, name }) => schema === context.defaultSchema && name.toLowerCase() === key,
    );
    if (shadowed === true) {
      const message = `The CTE ${document.name} hides the table of the same name`;
      context.diagnostics.warn('CTE_SHADOWS_TABLE', document.nameSpan, message);
    }
    const parsed = parseSqlText(document.query, context.diagnostics, context);
    const entry = new CteEntry(document, parsed, context, new OtherCtes(key, this.#names));
    this.#byName.set(key, entry);
  }

  find(name: string): Cte | undefined {
    const own = this.#byName.get(name.toLowerCase());
    if (own === undefined) return this.#outer?.find(name);
    own.isUsed = true;
    return own;
  }

  isHidden(): boolean {
    return false;
  }

  /** To be called when everything that may use them is compiled. */
  warnUnused(context: CompileContext): void {
    for (const { document, isUsed } of this.#byName.values()) {
      if (isUsed) continue;
      const message = `The CTE ${document.name} is not used`;
      context.diagnostics.warn('UNUSED_CTE', document.nameSpan, message, 'Remove it');
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
  readonly #others: CteFinder;
  readonly #parsed: ParsedSqlText | undefined;
  readonly #context: CompileContext;

  constructor(
    document: CteDocument,
    parsed: ParsedSqlText | undefined,
    context: CompileContext,
    others: CteFinder,
  ) {
    this.#others = others;
    this.document = document;
    this.#parsed = parsed;
    this.#context = context;
    // Checks the text also where nobody mentions it.
    if (parsed !== undefined) {
      new QueryBinder(parsed, context, others).bindDerived(parsed.select, undefined, undefined);
    }
  }

  bind(into: SourceList): DerivedSelect {
    const parsed = this.#parsed ?? EMPTY;
    const binder = new QueryBinder(parsed, this.#context, this.#others, into);
    return binder.bindDerived(parsed.select, undefined, undefined);
  }
}

/** Stands for a CTE that could not be parsed, which has been reported. */
const EMPTY: ParsedSqlText = {
  sql: '',
  select: { distinct: undefined, columns: [], from: [], conditions: [], start: 0, end: 0 },
  report: { error: () => {}, warn: () => {} },
};
