import type { Expression } from '../expr/expression.ts';
import type { AdvisedQuery } from './advised-query.ts';
import type { ValueDifference } from './value-difference.ts';

/**
 * Where a JSON path means something else to SQLite: brackets, quoted keys, numbers as steps,
 * negative indexes, and without `fixed_json_extract` dots in a key (spec/sync-config.md 6).
 */
export function pathDifference(
  { name, args }: Extract<Expression, { kind: 'call' }>,
  query: AdvisedQuery,
): ValueDifference | undefined {
  const [json, step] = args;
  if (json === undefined || step?.kind !== 'constant') return undefined;
  const path = step.value;
  if (typeof path === 'bigint') return path < 0n ? negativeIndex(path) : undefined;
  if (typeof path !== 'string') return undefined;
  const what = oddity(path, query);
  if (what === undefined) return undefined;
  const operator = name === 'json_extract' ? '->>' : name;
  const left = query.sql.slice(json.start, json.end);
  const steps = stepsOf(path);
  const chain = steps?.map((s, i) => `${i === steps.length - 1 ? operator : '->'} ${s}`).join(' ');
  return {
    message: what,
    fix: chain === undefined ? 'Write one ->> for each step' : `Write ${left} ${chain}`,
  };
}

function negativeIndex(index: bigint): ValueDifference {
  const message = `The index ${index} finds nothing now, and counts from the end in edition 4`;
  return { message, fix: 'Count from the beginning: 0 is the first element' };
}

function oddity(path: string, { fixedJsonExtract }: AdvisedQuery): string | undefined {
  if (path.startsWith('$')) {
    if (path.includes('['))
      return `${path}: brackets are part of the key now, and an index in edition 4`;
    if (path.includes('"'))
      return `${path}: quotes are part of the key now, and surround it in edition 4`;
    const isNumber = path.split('.').some((step) => /^\d+$/.test(step));
    return isNumber
      ? `${path}: a number is also an index into an array now, and only a key in edition 4`
      : undefined;
  }
  if (!fixedJsonExtract && path.includes('.')) {
    return `${path} walks from key to key now, and is one key in edition 4`;
  }
  return /^\d+$/.test(path)
    ? `'${path}' is also an index into an array now, and only a key in edition 4`
    : undefined;
}

/** The steps of a path as they are written after `->`; undefined where that is not clear. */
function stepsOf(path: string): readonly string[] | undefined {
  const steps: string[] = [];
  const body = path.replace(/^\$\.?/, '');
  for (const part of body.split('.')) {
    const [, key = '', indexes = ''] = /^([^[\]"]*)((?:\[\d+\])*)$/.exec(part) ?? [];
    if (key === '' && indexes === '') return undefined;
    if (/^\d+$/.test(key)) steps.push(key);
    else if (key !== '') steps.push(`'${key.replaceAll("'", "''")}'`);
    steps.push(...[...indexes.matchAll(/\d+/g)].map(([index]) => index));
  }
  return steps;
}
