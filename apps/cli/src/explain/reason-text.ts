import type {
  BucketResolution,
  FailedCondition,
  NamedValue,
  ResolutionPart,
  ResolutionStep,
  RowReason,
  VisibilityReason,
} from '@sluice/sync-config';
import { counted, cut, formatCount } from '../terminal/text.ts';

/** Explanations as sentences, without a capital and a full stop. */

const MAX_LISTED = 3;
const MAX_VALUE_LENGTH = 60;

export function rowReasonText(reason: RowReason): string {
  switch (reason.kind) {
    case 'filter': {
      const { elements, condition } = reason;
      const text = conditionText(condition);
      return elements === undefined || elements === 1
        ? text
        : `for none of the ${elements} elements: ${text}`;
    }
    case 'key':
      return `${namedText(reason.key)}, and under that nothing is filed`;
    case 'no elements':
      return `${reason.input.sql} has no elements: it is ${shortValue(reason.input.value)}`;
    case 'error':
      return `the query fails on the row: ${reason.message}`;
    case 'failed query':
      return 'another alternative of the same query fails on the row, which leaves it out of all';
  }
}

/** `archived = 0 is not true, for archived is 1` */
export function conditionText({ sql, reads }: FailedCondition): string {
  if (reads.length === 0) return `${sql} is never true`;
  return `${sql} is not true, for ${reads.map(namedText).join(', ')}`;
}

function namedText({ sql, value }: NamedValue): string {
  return `${sql} is ${shortValue(value)}`;
}

function shortValue(value: string): string {
  return cut(value.replace(/\s+/g, ' '), MAX_VALUE_LENGTH);
}

/** `id = 'l1' and org = 'acme'`; for a bucket without parameters `the only one`. */
export function keysText(keys: readonly NamedValue[]): string {
  if (keys.length === 0) return 'the same for everybody';
  return keys.map(({ sql, value }) => `${sql} = ${shortValue(value)}`).join(' and ');
}

/** `'a', 'b', 'c'`, or `'a', 'b', …` where there are more. */
function listText(values: readonly string[]): string {
  const shown = values.map(shortValue);
  if (values.length <= MAX_LISTED) return shown.join(', ');
  return `${shown.slice(0, MAX_LISTED - 1).join(', ')}, …`;
}

/** A list with its length, where that is not seen. */
function valuesText(values: readonly string[]): string {
  const count = values.length > MAX_LISTED ? `one of ${formatCount(values.length)}: ` : '';
  return count + listText(values);
}

export function visibilityReasonText(reason: VisibilityReason, who: string): string {
  switch (reason.kind) {
    case 'absent':
      return absenceText(reason.absence, who);
    case 'refused':
      return `the service refuses the request: ${reason.message}`;
    case 'error':
      return `the stream fails for ${who}: ${reason.message}`;
    case 'request filter':
      return conditionText(reason.condition);
    case 'nothing found':
      return nothingFoundText(reason.part);
    case 'other values':
      return otherValuesText(reason);
    case 'other combinations':
      return `${keysText(reason.needed)} are found, but not together`;
  }
}

/** `it takes members.list_id = 'l9', but members where user_id = 'alice' gave list_id 'l1', 'l2'` */
function otherValuesText({
  needed,
  found,
  part,
}: Extract<VisibilityReason, { kind: 'other values' }>): string {
  const step = part.steps.findLast(({ kind }) => kind === 'lookup');
  const has = step === undefined ? `that is ${valuesText(found.values)}` : stepText(step);
  return `it takes ${found.sql} = ${shortValue(needed.value)}, but ${has}`;
}

/** How a request comes to buckets: its values, and what it looks up with them. */
export function waysText(resolutions: readonly BucketResolution[]): string {
  const ways = resolutions.map(({ parts }) => {
    const direct = parts
      .filter(({ steps }) => steps.length === 0)
      .flatMap(({ keys }) => keys.map(({ sql, values }) => `${sql} is ${valuesText(values)}`));
    return [...direct, ...parts.flatMap(({ steps }) => steps.map(stepText))].join(', ');
  });
  const said = ways.map((way) => (way === '' ? 'the same for everybody' : way));
  return [...new Set(said)].join('; or ');
}

export function absenceText(absence: 'not subscribed' | 'defaults are off', who: string): string {
  return absence === 'not subscribed'
    ? `${who} has not subscribed to it (see --stream)`
    : 'default streams are switched off';
}

/** Where the way from a request to buckets ends. */
export function nothingFoundText({ steps, keys }: ResolutionPart): string {
  const last = steps.at(-1);
  if (last !== undefined && isEmptyStep(last)) return stepText(last);
  const sources = keys.map(({ sql }) => sql).join(' or ');
  return `${sources} has no value that a bucket can be named by`;
}

function isEmptyStep(step: ResolutionStep): boolean {
  if (step.kind === 'each') return step.elements === 0;
  if (step.kind === 'filter') return step.kept === 0;
  return step.asked.every(({ found }) => found.length === 0);
}

/** `members where user_id = 'alice' gave list_id 'a', 'b'` */
function stepText(step: ResolutionStep): string {
  if (step.kind === 'each') {
    const inputs = step.inputs.map(namedText).join(', ');
    return step.elements === 0
      ? `there are no elements, for ${inputs}`
      : `${counted(step.elements, 'element')} of ${valuesText(step.inputs.map(({ sql }) => sql))}`;
  }
  if (step.kind === 'filter') {
    return step.failed.length === 0
      ? `${counted(step.kept, 'element')} kept`
      : step.failed.slice(0, 2).map(conditionText).join('; ');
  }
  return lookupText(step);
}

type LookupStep = Extract<ResolutionStep, { kind: 'lookup' }>;

function lookupText(step: LookupStep): string {
  const { lookup, asked, unmatched } = step;
  if (asked.length === 0) {
    return `${unmatched.map(namedText).join(', ')}, which matches no row of ${lookup.table}`;
  }
  const rows = `${lookup.table}${whereText(step)}`;
  const found = asked.flatMap((one) => one.found);
  if (found.length === 0) return `there is no row in ${rows}`;
  if (lookup.outputs.length === 0) return `there are rows in ${rows}`;
  const outputs = lookup.outputs.map((output, i) => {
    const values = [...new Set(found.map((values) => values[i] ?? 'NULL'))];
    return values.length <= MAX_LISTED
      ? `${output} ${listText(values)}`
      : `${formatCount(values.length)} ${output} (${listText(values)})`;
  });
  return `${rows} gave ${outputs.join(', ')}`;
}

/** What the lookup asks of a row. */
function whereText({ lookup, asked }: LookupStep): string {
  const terms = lookup.keys.map((key, i) => {
    if (isConstantKey(key)) return requestCondition(asked, i);
    const values = [...new Set(asked.map(({ keys }) => keys[i]?.value ?? 'NULL'))];
    return values.length === 1
      ? `${key} = ${shortValue(values[0] ?? '')}`
      : `${key} IN (${listText(values)})`;
  });
  if (lookup.filter !== undefined) terms.push(lookup.filter);
  return terms.length === 0 ? '' : ` where ${terms.join(' and ')}`;
}

/** Bucket definitions file all rows under 1, which a condition on the request has to give. */
export function isConstantKey(sql: string): boolean {
  return /^\d+$/.test(sql);
}

function requestCondition(asked: LookupStep['asked'], index: number): string {
  const condition = asked[0]?.keys[index];
  const sql = condition?.sql.replace(/^NOT NOT /, '') ?? '';
  return condition?.value === '0' ? `${sql} (which is not true)` : sql;
}
