import { EvaluationFailure } from '../../failure.ts';
import type { JsonNode, JsonObject, JsonText } from './json-node.ts';
import { decodeJsonText, decodePathKey } from './json-text.ts';

/**
 * A path, read as far as it makes sense. A `bad` step fails only when the search comes to it:
 * SQLite gives NULL for `'{}' -> '$.a['`, but an error for `'{"a":[]}' -> '$.a['`.
 */
export type JsonPath = readonly JsonStep[];

type JsonStep =
  | { readonly kind: 'key'; readonly key: string; readonly isEscaped: boolean }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'from end'; readonly distance: number; readonly isClosed: boolean }
  | { readonly kind: 'bad'; readonly onlyInArrays: boolean };

/** Reads what follows the `$` of a path. */
export function parseJsonPath(text: string): JsonPath {
  const steps: JsonStep[] = [];
  let rest = text;
  while (rest !== '') {
    const [step, length] = readStep(rest);
    steps.push(step);
    if (length === 0) break;
    rest = rest.slice(length);
  }
  return steps;
}

const BAD = { kind: 'bad', onlyInArrays: false } as const;
const BAD_INDEX = { kind: 'bad', onlyInArrays: true } as const;
const QUOTED_KEY = /^\."((?:\\[^]|[^"\\])*)"/;
const PLAIN_KEY = /^\.([^.[]+)/;
const INDEX = /^\[([0-9]+)\]/;
const FROM_END = /^\[#(?:-([0-9]+))?(\]?)/;

/** The first step and its length, 0 when nothing after it can be reached. */
function readStep(text: string): [JsonStep, number] {
  if (text.startsWith('."')) {
    const match = QUOTED_KEY.exec(text);
    if (match === null) return [BAD, 0];
    const [all, key = ''] = match;
    return [{ kind: 'key', key, isEscaped: key.includes('\\') }, all.length];
  }
  if (text.startsWith('.')) {
    const match = PLAIN_KEY.exec(text);
    if (match === null) return [BAD, 0];
    const [all, key = ''] = match;
    return [{ kind: 'key', key, isEscaped: false }, all.length];
  }
  if (!text.startsWith('[')) return [BAD, 0];
  const index = INDEX.exec(text);
  if (index !== null) return [{ kind: 'index', index: Number(index[1]) }, index[0].length];
  const fromEnd = FROM_END.exec(text);
  if (fromEnd === null) return [BAD_INDEX, 0];
  const [all, distance = '0', close] = fromEnd;
  const isClosed = close === ']';
  return [{ kind: 'from end', distance: Number(distance), isClosed }, isClosed ? all.length : 0];
}

/** As many steps as SQLite takes. */
const MAX_STEPS = 999;

/**
 * The node at the end of a path; undefined when there is none.
 *
 * @throws EvaluationFailure when a step that is reached is malformed, or too deep.
 */
export function findJsonNode(root: JsonNode, path: JsonPath): JsonNode | undefined {
  let node = root;
  for (const [i, step] of path.entries()) {
    const next = takeStep(node, step);
    if (next === undefined) return undefined;
    if (i >= MAX_STEPS) throw new EvaluationFailure('A JSON path has too many steps');
    node = next;
  }
  return node;
}

function takeStep(node: JsonNode, step: JsonStep): JsonNode | undefined {
  if (step.kind === 'key') return node.kind === 'object' ? findMember(node, step) : undefined;
  if (step.kind === 'bad' && !step.onlyInArrays) throw badPath();
  if (node.kind !== 'array') return undefined;
  if (step.kind === 'index') return node.items[step.index];
  if (step.kind === 'bad') throw badPath();
  const index = node.items.length - step.distance;
  if (index < 0) return undefined;
  if (!step.isClosed) throw badPath();
  return node.items[index];
}

/** The first member with that name. */
function findMember(
  { labels, values }: JsonObject,
  { key, isEscaped }: { key: string; isEscaped: boolean },
): JsonNode | undefined {
  const decoded = isEscaped ? decodePathKey(key) : key;
  if (decoded === undefined) return undefined;
  const wanted = isEscaped ? upToNul(decoded) : key;
  const index = labels.findIndex((label) => labelIs(label, wanted));
  return index === -1 ? undefined : values[index];
}

function labelIs(label: JsonText, wanted: string): boolean {
  return label.escapes === 'none'
    ? label.raw === wanted
    : upToNul(decodeJsonText(label)) === wanted;
}

/** Where escapes are compared, SQLite takes `\u0000` for the end of the text. */
function upToNul(text: string): string {
  const end = text.indexOf('\0');
  return end === -1 ? text : text.slice(0, end);
}

function badPath(): EvaluationFailure {
  return new EvaluationFailure('A JSON path is malformed');
}
