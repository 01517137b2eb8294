import { canonicalText, REQUEST_SOURCE, type Expression } from '../expr/expression.ts';
import type { KeyValue, LookupQuery, Step } from '../plan/queries.ts';
import type { ConjunctionParts, LinkSide } from './conjunction-parts.ts';
import { renumber } from './renumber.ts';
import { conjoin, selectionOf } from './row-side.ts';
import type { SourceList } from './source.ts';

/** Gives a lookup an id; equal lookups of a stream share one. */
export type RegisterLookup = (query: Omit<LookupQuery, 'id' | 'definition'>) => string;

/** A connected part of what is not the synced table, with the values it gives to bucket parameters. */
export interface CompiledComponent {
  readonly steps: readonly Step[];
  readonly results: readonly { readonly syncedSide: Expression; readonly value: KeyValue }[];
}

interface ComponentMembers {
  readonly tables: readonly number[];
  readonly eaches: readonly number[];
  /** Links of members with the synced table: its side and theirs. */
  readonly syncedLinks: readonly { readonly synced: LinkSide; readonly other: LinkSide }[];
}

/**
 * Plans how to find the values of a component at request time: first what the request holds, then
 * one lookup per table, each table after those that give its keys.
 * Source: spec/sync-config.md 10.5.
 */
export function compileComponent(
  members: ComponentMembers,
  parts: ConjunctionParts,
  sources: SourceList,
  register: RegisterLookup,
): CompiledComponent {
  const planner = new ComponentPlanner(members, parts, sources, register);
  return planner.plan();
}

class ComponentPlanner {
  readonly #members: ComponentMembers;
  readonly #parts: ConjunctionParts;
  readonly #sources: SourceList;
  readonly #register: RegisterLookup;
  readonly #steps: Step[] = [];
  /** Request-side json_each sources by their number in the component. */
  readonly #eachNumbers = new Map<number, number>();
  /** What each visited table gives: canonical text of an expression to its output. */
  readonly #outputs = new Map<number, Map<string, KeyValue>>();

  constructor(
    members: ComponentMembers,
    parts: ConjunctionParts,
    sources: SourceList,
    register: RegisterLookup,
  ) {
    this.#members = members;
    this.#parts = parts;
    this.#sources = sources;
    this.#register = register;
  }

  plan(): CompiledComponent {
    this.#expandRequest();
    let waiting = this.#members.tables;
    while (waiting.length > 0) {
      const table = waiting.find((id) => this.#keysOf(id).length > 0) ?? waiting[0];
      if (table === undefined) break;
      this.#visit(table);
      waiting = waiting.filter((id) => id !== table);
    }
    const results = this.#members.syncedLinks.map(({ synced, other }) => ({
      syncedSide: synced.expression,
      value: this.#read(other),
    }));
    return { steps: this.#steps, results };
  }

  #expandRequest(): void {
    let filters = this.#parts.elementFilters.filter((filter) =>
      this.#sources.requestEachesOf(filter).some((id) => this.#members.eaches.includes(id)),
    );
    // In the order of mention, in which the input of a json_each only reads earlier ones.
    for (const id of this.#members.eaches) {
      const source = this.#sources.get(id);
      if (source?.kind !== 'each') continue;
      const input = renumber(source.input, this.#eachNumbers);
      const number = this.#eachNumbers.size + 1;
      this.#eachNumbers.set(id, number);
      this.#steps.push({ kind: 'each', expansion: { source: number, input, mode: source.mode } });
      const isReady = (filter: Expression) =>
        this.#sources.requestEachesOf(filter).every((each) => this.#eachNumbers.has(each));
      const condition = conjoin(filters.filter(isReady));
      filters = filters.filter((filter) => !isReady(filter));
      if (condition !== undefined) {
        const renumbered = renumber(condition, this.#eachNumbers);
        this.#steps.push({ kind: 'filter', condition: renumbered });
      }
    }
  }

  /** The links of a table with what is already known. */
  #keysOf(table: number): readonly { readonly own: LinkSide; readonly other: LinkSide }[] {
    return this.#linksOf(table).filter(
      ({ other }) => other.root === REQUEST_SOURCE || this.#outputs.has(other.root),
    );
  }

  #linksOf(table: number): readonly { readonly own: LinkSide; readonly other: LinkSide }[] {
    return this.#parts.links.flatMap(({ left, right }) => {
      if (left.root === table) return [{ own: left, other: right }];
      return right.root === table ? [{ own: right, other: left }] : [];
    });
  }

  #visit(table: number): void {
    const keys = this.#keysOf(table);
    const known = new Set(keys.map(({ own }) => own));
    const wanted = new Map<string, Expression>();
    for (const { own } of this.#linksOf(table)) {
      if (!known.has(own)) wanted.set(canonicalText(own.expression), own.expression);
    }
    const numbers = new Map<number, number>();
    const selection = selectionOf(table, this.#parts, this.#sources, numbers);
    const id = this.#register({
      ...selection,
      keys: keys.map(({ own }) => renumber(own.expression, numbers)),
      outputs: [...wanted.values()].map((expression) => renumber(expression, numbers)),
      nullableOutputs: false,
    });
    const lookup = this.#outputs.size;
    this.#steps.push({ kind: 'lookup', id, keys: keys.map(({ other }) => this.#read(other)) });
    this.#outputs.set(
      table,
      new Map([...wanted.keys()].map((text, index) => [text, { kind: 'output', lookup, index }])),
    );
  }

  #read(side: LinkSide): KeyValue {
    const output = this.#outputs.get(side.root)?.get(canonicalText(side.expression));
    if (output !== undefined) return output;
    const value = renumber(side.expression, this.#eachNumbers);
    return { kind: 'request', value, nullable: false };
  }
}
