import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Alias,
  type Document,
  type Node,
  type Pair,
  type ScalarTag,
} from 'yaml';
import type { ErrorCode } from '@sluice/base';
import { findYamlExcess, MAX_YAML_DEPTH, type YamlExcess } from '@sluice/sync-config';
import type { ConfigProblem } from './config-problem.ts';
import { resolveEnvTag, type Environment } from './env-tag.ts';

export type KeyPath = readonly (string | number)[];

/** A configuration file as plain values, and where each of them stands. */
export interface YamlDocument {
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** A problem placed at the value of a path, or at its nearest ancestor that is in the file. */
  problemAt(code: ErrorCode, path: KeyPath, message: string, hint?: string): ConfigProblem;
  /** The same, placed at the key instead of the value. */
  problemAtKey(code: ErrorCode, path: KeyPath, message: string, hint?: string): ConfigProblem;
}

const ENV_TAG: ScalarTag = { tag: '!env', resolve: (text) => text };

/**
 * `key:` with nothing behind it means that the key was not given; but not where the file makes up the keys, and not where
 * leaving a key away opens what it was to close.
 */
const MEANT_EMPTY: readonly (readonly string[])[] = [
  ['write_api', 'tables'],
  ['write_api', 'tables', '*'],
  ['write_api', 'sign_in', 'users', '*'],
];

/** More than a configuration has, aliases followed; stops those that stand for billions of values. */
const MAX_VALUES = 100_000;

/** Parses YAML 1.2 or JSON, replacing `!env` tags. Never throws; what is wrong is in `problems`. */
export function parseYamlDocument(text: string, env: Environment): YamlDocument {
  const excess = findYamlExcess(text);
  if (excess !== undefined) return unreadable(text, excess);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, customTags: [ENV_TAG], merge: true });
  const places = new Map<string, { readonly key: number; readonly value: number }>();

  const problem = (
    part: 'key' | 'value',
    code: ErrorCode,
    path: KeyPath,
    message: string,
    hint?: string,
  ): ConfigProblem => {
    const { line, col } = lineCounter.linePos(nearest(places, path)[part]);
    return { code, keyPath: formatKeyPath(path), line, column: col, message, hint };
  };
  const read = new Reader(document, env, places, (...args) => problem('value', ...args));
  const value = document.errors.length === 0 ? read.plain(document.contents, []) : undefined;
  const syntax = document.errors.map((error): ConfigProblem => {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    const message = error.message.split(' at line ')[0] ?? error.message;
    return { code: 'CONFIG_SYNTAX', keyPath: '', line, column: col, message };
  });
  return {
    value,
    problems: [...syntax, ...read.problems],
    problemAt: (...args) => problem('value', ...args),
    problemAtKey: (...args) => problem('key', ...args),
  };
}

function unreadable(text: string, { offset, message }: YamlExcess): YamlDocument {
  const lines = text.slice(0, offset).split('\n');
  const problem: ConfigProblem = {
    code: 'CONFIG_SYNTAX',
    keyPath: '',
    line: lines.length,
    column: (lines.at(-1)?.length ?? 0) + 1,
    message,
  };
  return {
    value: undefined,
    problems: [problem],
    problemAt: () => problem,
    problemAtKey: () => problem,
  };
}

/** `a.b[0].c` */
function formatKeyPath(path: KeyPath): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`,
    )
    .join('');
}

type MakeProblem = (code: ErrorCode, path: KeyPath, message: string) => ConfigProblem;
type Places = Map<string, { readonly key: number; readonly value: number }>;

/** Turns nodes into plain values, noting where each stands. */
class Reader {
  readonly problems: ConfigProblem[] = [];
  readonly #document: Document;
  readonly #env: Environment;
  readonly #places: Places;
  readonly #problem: MakeProblem;
  readonly #targets = new Map<Alias, unknown>();
  #values = 0;

  constructor(document: Document, env: Environment, places: Places, problem: MakeProblem) {
    this.#document = document;
    this.#env = env;
    this.#places = places;
    this.#problem = problem;
  }

  plain(node: unknown, path: KeyPath, keyOffset?: number): unknown {
    if (this.#isExhausted(path)) return null;
    const target = isAlias(node) ? this.#targetOf(node) : node;
    const offset = rangeStart(node) ?? keyOffset ?? 0;
    this.#places.set(placeKey(path), { key: keyOffset ?? offset, value: offset });
    if (isMap(target)) return this.#map(target.items, path);
    if (isSeq(target)) return target.items.map((item, index) => this.plain(item, [...path, index]));
    if (!isScalar(target)) return null;
    if (target.tag === '!env') return this.#envValue(String(target.value), path);
    return target.value;
  }

  /** The parser looks for the anchor in the whole document each time. */
  #targetOf(alias: Alias): unknown {
    if (!this.#targets.has(alias)) this.#targets.set(alias, alias.resolve(this.#document));
    return this.#targets.get(alias);
  }

  /** Says once that aliases stand for too much, or for what they lie in themselves. */
  #isExhausted(path: KeyPath): boolean {
    const wasExhausted = this.#values > MAX_VALUES;
    if (path.length > MAX_YAML_DEPTH) this.#values = MAX_VALUES;
    this.#values += 1;
    if (this.#values <= MAX_VALUES) return false;
    if (!wasExhausted) {
      const message = `The aliases stand for too many values, more than ${MAX_VALUES}, or for themselves`;
      this.problems.push(this.#problem('CONFIG_SYNTAX', path.slice(0, 1), message));
    }
    return true;
  }

  #map(items: readonly Pair<unknown, unknown>[], path: KeyPath): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const { key, value } of items) {
      const name = isScalar(key) ? String(key.value) : String(key);
      const plain = this.plain(value, [...path, name], rangeStart(key));
      if (plain !== null || isMeantEmpty([...path, name])) result[name] = plain;
    }
    return result;
  }

  #envValue(reference: string, path: KeyPath): unknown {
    const result = resolveEnvTag(reference, this.#env);
    if (result.kind === 'value') return result.value;
    this.problems.push(this.#problem(result.code, path, result.message));
    return UNRESOLVED;
  }
}

function isMeantEmpty(path: KeyPath): boolean {
  return MEANT_EMPTY.some(
    (meant) =>
      meant.length === path.length && meant.every((part, at) => part === '*' || part === path[at]),
  );
}

/** Stands for an `!env` value with a problem of its own, so that no second one is reported. */
export const UNRESOLVED: unique symbol = Symbol('unresolved');

/** The value under a path, or undefined. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (at, part) =>
      typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined,
    value,
  );
}

function rangeStart(node: unknown): number | undefined {
  return (node as Node | null)?.range?.[0];
}

function placeKey(path: KeyPath): string {
  return JSON.stringify(path);
}

function nearest(places: Places, path: KeyPath): { readonly key: number; readonly value: number } {
  for (let length = path.length; length >= 0; length--) {
    const place = places.get(placeKey(path.slice(0, length)));
    if (place) return length === path.length ? place : { key: place.key, value: place.key };
  }
  return { key: 0, value: 0 };
}
