import { isAlias, isMap, isScalar, isSeq, visit, type Document, type Scalar } from 'yaml';
import type { Diagnostics, Fix, Span } from '../diagnostics.ts';
import { didYouMean } from '../suggest.ts';
import type { KeyTable } from './config-keys.ts';
import { SqlText, type ScalarStyle } from './sql-text.ts';
import type { ParsedYaml } from './yaml-repairs.ts';

export interface YamlEntry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: unknown;
}

export type Fields = ReadonlyMap<string, YamlEntry>;

/** Reads nodes of a parsed YAML document and reports those of a wrong kind. */
export class YamlReader {
  readonly diagnostics: Diagnostics;
  readonly text: string;
  readonly #document: Document;
  readonly #unreadableFrom: number;
  #flowSpans: readonly Span[] | undefined;

  constructor({ document, text, unreadableFrom }: ParsedYaml, diagnostics: Diagnostics) {
    this.text = text;
    this.#document = document;
    this.#unreadableFrom = unreadableFrom;
    this.diagnostics = diagnostics;
  }

  /** Whether the file was understood up to the end of the entry. */
  isReadable(entry: YamlEntry): boolean {
    return this.span(entry.value, entry.keySpan).end <= this.#unreadableFrom;
  }

  get isWholeReadable(): boolean {
    return this.#unreadableFrom === Infinity;
  }

  resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  /** The entries of a map; a null node or another kind is reported and gives undefined. */
  entries(
    node: unknown,
    what: string,
    at: Span,
    known: readonly string[] = [],
  ): readonly YamlEntry[] | undefined {
    const map = this.resolve(node);
    if (!isMap(map)) {
      const fix = this.#mapFix(map, known);
      const span = this.span(node, at);
      const found = isSeq(map)
        ? 'a list'
        : isScalar(map) && map.value !== null
          ? 'a text'
          : 'empty';
      const message = `${what} must be a map, and is ${found}`;
      this.diagnostics.error('YAML_SCHEMA', fix?.span ?? span, fix?.message ?? message, fix);
      return undefined;
    }
    return map.items.map((pair) => ({
      key: isScalar(pair.key) ? String(pair.key.value) : String(pair.key),
      keySpan: this.span(pair.key, at),
      value: pair.value,
    }));
  }

  /** `edition:3` and `edition 3` are texts in YAML; the key in them says what was meant. */
  #mapFix(node: unknown, known: readonly string[]): MapFix | undefined {
    if (!isScalar(node) || typeof node.value !== 'string') return undefined;
    const at = this.span(node, { start: 0, end: 0 });
    if (/^select\b/i.test(node.value) && known.length > 0) {
      const [first = 'query'] = known;
      const message = 'A query cannot stand right behind the name';
      return { message, span: at, text: `Write ${first}: and the query on a line below the name` };
    }
    const [, key = '', colon = ''] = /^([\w-]+)(:?)/.exec(node.value) ?? [];
    const start = at.start + key.length;
    const span = { start: at.start, end: start };
    if (colon === ':' && this.text.charAt(start) === ':') {
      const edit = { start, end: start + 1, text: ': ' };
      return {
        message: `There is no blank after ${key}:`,
        span,
        text: `Write ${key}: value`,
        edit,
      };
    }
    if (!known.includes(key)) return undefined;
    const edit = { start, end: start, text: ':' };
    return { message: `There is no colon after ${key}`, span, text: `Write ${key}:`, edit };
  }

  /** As `entries`, by key; keys that the table does not know, and missing ones, are reported. */
  fields(node: unknown, what: string, table: KeyTable, at: Span): Fields | undefined {
    const known = Object.keys(table);
    const entries = this.entries(node, what, at, known);
    if (entries === undefined) return undefined;
    const fields = new Map(entries.map((entry) => [entry.key, entry]));
    const free = known.filter((key) => !fields.has(key));
    for (const entry of entries) {
      const { key, keySpan } = entry;
      if (known.includes(key) || keySpan.end > this.#unreadableFrom) continue;
      const guess = didYouMean(keySpan, key, free);
      const fix = guess ?? `Known keys: ${known.join(', ')}`;
      this.diagnostics.error('YAML_SCHEMA', keySpan, `${what} has no key ${key}`, fix);
      const meant = guess?.edit?.text;
      if (meant === undefined) continue;
      // Its value is read as what was probably meant, so that it is checked and not missing too.
      fields.set(meant, { ...entry, key: meant });
      free.splice(free.indexOf(meant), 1);
    }
    for (const key of free) {
      if (table[key]?.required !== true) continue;
      const fix = `Write ${key}: and a list of SELECTs`;
      this.diagnostics.error('YAML_SCHEMA', at, `${what} has no ${key}`, fix);
    }
    return fields;
  }

  boolean(entry: YamlEntry, fallback: boolean, code: string): boolean {
    const value = this.scalar(entry.value);
    if (typeof value === 'boolean') return value;
    const span = this.span(entry.value, entry.keySpan);
    const meant = BOOLEAN_WORDS[String(value).toLowerCase()];
    const message = `${entry.key} must be true or false, not ${this.#shown(entry)}`;
    const fix = meant && { text: `Write ${meant}`, edit: { ...span, text: meant } };
    this.diagnostics.error(code, span, message, fix);
    return fallback;
  }

  /** One of the options; others are reported, with the option that a text in quotes may mean. */
  choice<T extends string | number>(
    entry: YamlEntry,
    options: readonly T[],
    code: string,
  ): T | undefined {
    const value = this.scalar(entry.value);
    const found = options.find((option) => option === value);
    if (found !== undefined) return found;
    const span = this.span(entry.value, entry.keySpan);
    const texts = options.map(String);
    const list = `${texts.slice(0, -1).join(', ')} or ${texts.at(-1) ?? ''}`;
    const message = `${entry.key} must be ${list}, not ${this.#shown(entry)}`;
    const same = texts.find((text) => text === String(value).toLowerCase());
    const fix =
      same === undefined
        ? didYouMean(
            span,
            String(value),
            texts.filter((text) => text.length > 2),
          )
        : { text: `Write ${same}`, edit: { ...span, text: same } };
    this.diagnostics.error(code, span, message, fix);
    return undefined;
  }

  #shown(entry: YamlEntry): string {
    const node = this.resolve(entry.value);
    if (isSeq(node)) return 'a list';
    if (isMap(node)) return 'a map';
    const { start, end } = this.span(node, { start: 0, end: 0 });
    return end > start ? this.text.slice(start, end).trim() : 'empty';
  }

  scalar(node: unknown): unknown {
    const resolved = this.resolve(node);
    return isScalar(resolved) ? resolved.value : undefined;
  }

  sequence(node: unknown): readonly unknown[] | undefined {
    const resolved = this.resolve(node);
    return isSeq(resolved) ? resolved.items : undefined;
  }

  /** An SQL string; another kind is reported. */
  sql(node: unknown, what: string, at: Span): SqlText | undefined {
    const scalar = this.resolve(node);
    if (isScalar(scalar) && typeof scalar.value === 'string') {
      const span = this.span(scalar, at);
      const place = { yaml: this.text, span, style: styleOf(scalar), inFlow: this.#isInFlow(span) };
      return new SqlText(scalar.value, place);
    }
    const span = this.span(node, at);
    if (isAlias(node) && scalar === undefined) {
      const message = `There is no anchor &${node.source} before this`;
      this.diagnostics.error('YAML_SCHEMA', span, message, 'Write the query itself');
      return undefined;
    }
    const message = `${what} must be an SQL string`;
    this.diagnostics.error('YAML_SCHEMA', span, message, sqlHint(scalar));
    return undefined;
  }

  sqlList(items: readonly unknown[], what: string, at: Span): SqlText[] {
    return items.map((item) => this.sql(item, what, at)).filter((sql) => sql !== undefined);
  }

  span(node: unknown, fallback: Span): Span {
    const resolved = isAlias(node) ? node : this.resolve(node);
    if (typeof resolved !== 'object' || resolved === null || !('range' in resolved)) {
      return fallback;
    }
    const range = resolved.range as readonly [number, number, number] | null | undefined;
    if (range === null || range === undefined) return fallback;
    const [start, end] = range;
    return end > start ? { start, end } : fallback;
  }

  #isInFlow({ start }: Span): boolean {
    this.#flowSpans ??= flowSpans(this.#document);
    return this.#flowSpans.some((span) => span.start <= start && start < span.end);
  }
}

interface MapFix extends Fix {
  readonly message: string;
  readonly span: Span;
}

const BOOLEAN_WORDS: Readonly<Record<string, string>> = {
  true: 'true', yes: 'true', on: 'true', '1': 'true', y: 'true',
  false: 'false', no: 'false', off: 'false', '0': 'false', n: 'false',
}; // prettier-ignore

function flowSpans(document: Document): Span[] {
  const spans: Span[] = [];
  visit(document, {
    Collection(_, node) {
      const [start, end] = node.range ?? [0, 0];
      if (node.flow === true) spans.push({ start, end });
    },
  });
  return spans;
}

/** Why something that was meant as a query is none. */
function sqlHint(node: unknown): string | undefined {
  if (isSeq(node)) return 'Write one query; a stream takes several under queries (edition 3)';
  if (isMap(node)) return 'Put the query in quotes, or below the key after a |';
  return isScalar(node) && node.value === null ? 'Write a SELECT' : undefined;
}

function styleOf({ type }: Scalar): ScalarStyle {
  if (type === 'BLOCK_FOLDED' || type === 'BLOCK_LITERAL') return 'block';
  if (type === 'QUOTE_DOUBLE') return 'double';
  return type === 'QUOTE_SINGLE' ? 'single' : 'plain';
}
