import { isAlias, isMap, isScalar, isSeq, type Document, type Scalar } from 'yaml';
import type { Diagnostics, Span } from '../diagnostics.ts';
import { suggest } from '../suggest.ts';
import { SqlText, type ScalarStyle } from './sql-text.ts';

export interface YamlEntry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: unknown;
}

/** Reads nodes of a parsed YAML document and reports those of a wrong kind. */
export class YamlReader {
  readonly diagnostics: Diagnostics;
  readonly #yaml: string;
  readonly #document: Document;

  constructor(yaml: string, document: Document, diagnostics: Diagnostics) {
    this.#yaml = yaml;
    this.#document = document;
    this.diagnostics = diagnostics;
  }

  resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  /** The entries of a map; a null node or another kind is reported and gives undefined. */
  entries(node: unknown, what: string, at: Span): readonly YamlEntry[] | undefined {
    const map = this.resolve(node);
    if (!isMap(map)) {
      this.diagnostics.error('YAML_SCHEMA', this.span(node, at), `${what} must be a map`);
      return undefined;
    }
    return map.items.map((pair) => ({
      key: isScalar(pair.key) ? String(pair.key.value) : String(pair.key),
      keySpan: this.span(pair.key, at),
      value: pair.value,
    }));
  }

  /** As `entries`, by key; keys outside `known` are reported. */
  fields(
    node: unknown,
    what: string,
    known: readonly string[],
    at: Span,
  ): ReadonlyMap<string, YamlEntry> | undefined {
    const entries = this.entries(node, what, at);
    for (const { key, keySpan } of entries ?? []) {
      if (known.includes(key)) continue;
      const fix = suggest(key, known) ?? `Known keys: ${known.join(', ')}`;
      this.diagnostics.error('YAML_SCHEMA', keySpan, `${what} has no key ${key}`, fix);
    }
    return entries && new Map(entries.map((entry) => [entry.key, entry]));
  }

  boolean(entry: YamlEntry | undefined, fallback: boolean, code = 'YAML_SCHEMA'): boolean {
    if (entry === undefined) return fallback;
    const value = this.scalar(entry.value);
    if (typeof value === 'boolean') return value;
    const message = `${entry.key} must be true or false`;
    this.diagnostics.error(code, this.span(entry.value, entry.keySpan), message);
    return fallback;
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
      return new SqlText(scalar.value, this.#yaml, this.span(scalar, at), styleOf(scalar));
    }
    this.diagnostics.error('YAML_SCHEMA', this.span(node, at), `${what} must be an SQL string`);
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
}

function styleOf({ type }: Scalar): ScalarStyle {
  if (type === 'BLOCK_FOLDED' || type === 'BLOCK_LITERAL') return 'block';
  if (type === 'QUOTE_DOUBLE') return 'double';
  return type === 'QUOTE_SINGLE' ? 'single' : 'plain';
}
