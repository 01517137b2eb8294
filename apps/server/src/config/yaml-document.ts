import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type ScalarTag,
} from 'yaml';
import type { ErrorCode } from '@sluice/base';
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

/** Parses YAML 1.2 or JSON, replacing `!env` tags. Never throws; what is wrong is in `problems`. */
export function parseYamlDocument(text: string, env: Environment): YamlDocument {
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

  constructor(document: Document, env: Environment, places: Places, problem: MakeProblem) {
    this.#document = document;
    this.#env = env;
    this.#places = places;
    this.#problem = problem;
  }

  plain(node: unknown, path: KeyPath, keyOffset?: number): unknown {
    const target = isAlias(node) ? node.resolve(this.#document) : node;
    const offset = rangeStart(node) ?? keyOffset ?? 0;
    this.#places.set(placeKey(path), { key: keyOffset ?? offset, value: offset });
    if (isMap(target)) return this.#map(target.items, path);
    if (isSeq(target)) return target.items.map((item, index) => this.plain(item, [...path, index]));
    if (!isScalar(target)) return null;
    if (target.tag === '!env') return this.#envValue(String(target.value), path);
    return target.value;
  }

  #map(items: readonly Pair<unknown, unknown>[], path: KeyPath): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const { key, value } of items) {
      const name = isScalar(key) ? String(key.value) : String(key);
      const plain = this.plain(value, [...path, name], rangeStart(key));
      // `key:` with nothing behind it means that the key was not given.
      if (plain !== null) result[name] = plain;
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
