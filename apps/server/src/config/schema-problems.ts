import { z } from 'zod';
import { closestName } from './closest-name.ts';
import type { ConfigProblem } from './config-problem.ts';
import { UNRESOLVED, valueAt, type KeyPath, type YamlDocument } from './yaml-document.ts';

type Issue = z.core.$ZodIssue;

/** Says what the schema found in the words of the file: key paths, places, likely spellings. */
export function schemaProblems(
  document: YamlDocument,
  schema: z.ZodType,
  issues: readonly Issue[],
): readonly ConfigProblem[] {
  const unsupported = issues.filter(isUnsupportedKind).map((issue) => issue.path.slice(0, -1));
  return issues
    .filter((issue) => valueAt(document.value, keyPath(issue)) !== UNRESOLVED)
    .filter((issue) => isUnsupportedKind(issue) || !unsupported.some((path) => lies(issue, path)))
    .flatMap((issue) => problemsOf(document, schema, issue));
}

/** `type: mongodb`: the other keys of that section cannot be judged. */
function isUnsupportedKind(issue: Issue): boolean {
  return issue.code === 'invalid_value' && issue.path.at(-1) === 'type';
}

function lies(issue: Issue, below: readonly PropertyKey[]): boolean {
  return below.every((part, index) => issue.path[index] === part);
}

function keyPath(issue: Issue): KeyPath {
  return issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
}

function problemsOf(document: YamlDocument, schema: z.ZodType, issue: Issue): ConfigProblem[] {
  const path = keyPath(issue);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.map((name) => unknownKey(document, [...path, name], name, known));
  }
  const value = valueAt(document.value, path);
  return [
    document.problemAt('CONFIG_INVALID_VALUE', path, describe(issue, value), hintFor(issue, value)),
  ];
}

function unknownKey(
  document: YamlDocument,
  path: KeyPath,
  name: string,
  known: readonly string[],
): ConfigProblem {
  const closest = closestName(name, known);
  const hint = closest === undefined ? `known: ${known.join(', ')}` : `did you mean "${closest}"?`;
  return document.problemAtKey('CONFIG_UNKNOWN_KEY', path, 'is not a known key', hint);
}

/** Never quotes a text value: it may be a secret. Choices are no secrets. */
function describe(issue: Issue, value: unknown): string {
  const isMissing = value === undefined && issue.code.startsWith('invalid_');
  if (isMissing) return 'is required';
  if (issue.code === 'invalid_type') {
    return `expected ${kindName(issue.expected)}, found ${kindOf(value)}`;
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.join(', ');
    return isUnsupportedKind(issue)
      ? `${JSON.stringify(value)} is not supported; supported: ${values}`
      : `expected one of ${values}`;
  }
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big') {
    return issue.origin === 'array'
      ? `holds more than the ${issue.maximum} that is supported`
      : `must be at most ${issue.maximum}`;
  }
  return issue.message;
}

function hintFor(issue: Issue, value: unknown): string | undefined {
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const closest = closestName(value, issue.values.map(String));
    return closest === undefined ? undefined : `did you mean "${closest}"?`;
  }
  if (issue.code !== 'invalid_type' || value === undefined) return undefined;
  if (value === null) return 'give it a value, or leave the key out';
  if (issue.expected === 'string' && typeof value !== 'object') return 'put it in quotes';
  if (issue.expected === 'boolean' && typeof value === 'string') {
    return 'write true or false without quotes, or !env NAME::boolean';
  }
  return undefined;
}

const KIND_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'an integer',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function kindName(expected: string): string {
  return KIND_NAMES[expected] ?? expected;
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return KIND_NAMES[typeof value] ?? typeof value;
}

/** The keys that a section may have. */
function keysAt(schema: z.ZodType, path: KeyPath): readonly string[] {
  let at = unwrap(schema);
  for (const part of path) {
    if (at instanceof z.ZodObject) at = unwrap((at.shape as Record<string, z.ZodType>)[part]);
    else if (at instanceof z.ZodArray) at = unwrap(at.element as z.ZodType);
    else if (at instanceof z.ZodRecord) at = unwrap(at.valueType as z.ZodType);
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

export function unwrap(schema: z.ZodType | undefined): z.ZodType | undefined {
  const isWrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodNullable;
  return isWrapped ? unwrap(schema.unwrap() as z.ZodType) : schema;
}
