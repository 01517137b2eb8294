import type { SqliteValue } from '@sluice/model';
import { toText } from './conversions.ts';
import {
  formatJsonDocument,
  isJsonArray,
  jsonMember,
  parseJsonDocument,
  type JsonDocument,
} from './json-document.ts';
import { int64OrReal } from './number-text.ts';
import type { Present } from './present.ts';

/** How `->`, `->>` and json_extract read paths and JSON null. */
export interface JsonRules {
  /** The option `fixed_json_extract` (spec/sync-config.md 6). */
  readonly fixed: boolean;
}

/**
 * Parses JSON texts and remembers the last one: queries tend to take several members of one
 * column or of one claim set in turn.
 */
export class JsonParser {
  #lastText: string | undefined;
  #lastDocument: JsonDocument = null;

  parse(text: string): JsonDocument {
    if (text !== this.#lastText) {
      this.#lastDocument = parseJsonDocument(text);
      this.#lastText = text;
    }
    return this.#lastDocument;
  }
}

/** The steps of a path: one literal key, or what `$.a.b` and, unless fixed, `a.b` walk. */
function pathSteps(path: string, rules: JsonRules): readonly string[] {
  if (!path.startsWith('$')) return rules.fixed ? [path] : path.split('.');
  const rest = path.startsWith('$.') ? path.slice(2) : path.slice(1);
  return rest === '' ? [] : rest.split('.');
}

/** The member that `step`, a text path or an array index, leads to; undefined when missing. */
export function findMember(
  document: JsonDocument,
  step: Present,
  rules: JsonRules,
): JsonDocument | undefined {
  if (typeof step === 'bigint' || typeof step === 'number') {
    return isJsonArray(document) ? document[Number(step)] : undefined;
  }
  let current: JsonDocument | undefined = document;
  for (const key of pathSteps(toText(step), rules)) {
    if (current === undefined) return undefined;
    current = jsonMember(current, key);
  }
  return current;
}

/** The result of `->>` and json_extract. */
export function memberValue(member: JsonDocument | undefined, rules: JsonRules): SqliteValue {
  if (member === undefined) return null;
  if (member === null) return rules.fixed ? null : 'null';
  if (typeof member === 'boolean') return member ? 1n : 0n;
  if (typeof member === 'object') return formatJsonDocument(member);
  return typeof member === 'bigint' ? int64OrReal(member) : member;
}

/** The result of `->`. */
export function memberText(member: JsonDocument | undefined, rules: JsonRules): SqliteValue {
  if (member === undefined) return null;
  if (member === null) return rules.fixed ? 'null' : null;
  return formatJsonDocument(member);
}
