import type { TablePattern } from '@sluice/model';
import type { CompiledEvent, EventQuery } from '../events/event-query.ts';
import type { PlanParts } from '../plan/plan.ts';
import type {
  BucketQuery,
  CompiledDefinition,
  Component,
  Expansion,
  KeyValue,
  LookupQuery,
  OutputColumn,
  RowQuery,
  RowSelection,
  Step,
} from '../plan/queries.ts';
import { formatExpression } from './format-expression.ts';

/**
 * A plan for people who review it: per definition which rows go where, which lookups they leave, and
 * how a request finds its buckets.
 */
export function formatPlan({ dialect, definitions, events }: PlanParts): string {
  const blocks = [
    `dialect ${dialect.name}`,
    ...definitions.map(formatDefinition),
    ...events.map(formatEvent),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function formatDefinition({ info, queries }: CompiledDefinition): string {
  const kind = info.kind === 'stream' ? 'stream' : 'bucket definition';
  const when = info.isDefault ? 'by default' : 'on demand';
  return [
    `${kind} ${info.name}, ${when}, priority ${info.priority}`,
    ...queries.rows.flatMap(formatRows),
    ...queries.lookups.flatMap(formatLookup),
    ...queries.buckets.flatMap(formatBuckets),
  ].join('\n');
}

function formatRows(query: RowQuery): string[] {
  const keys = query.keys.map(formatExpression).join(', ');
  const as = query.objectType === undefined ? '' : ` as ${query.objectType}`;
  return [
    `  rows of ${formatPattern(query.pattern)}${as} -> ${query.bucket}[${keys}]`,
    ...formatSelection(query),
    `    columns ${query.columns.map(formatColumn).join(', ')}`,
  ];
}

function formatLookup(query: LookupQuery): string[] {
  const keys = query.keys.map(formatExpression).join(', ');
  const outputs = query.outputs.map(formatExpression).join(', ');
  const nulls = query.nullableOutputs && outputs !== '' ? ', NULL kept' : '';
  return [
    `  lookup ${query.id}[${keys}] -> (${outputs})${nulls}`,
    `    rows of ${formatPattern(query.pattern)}`,
    ...formatSelection(query),
  ];
}

function formatSelection({ expansions, filter }: RowSelection): string[] {
  const lines = expansions.map((expansion) => `    ${formatExpansion(expansion)}`);
  if (filter !== undefined) lines.push(`    where ${formatExpression(filter)}`);
  return lines;
}

function formatExpansion({ source, input, mode }: Expansion): string {
  const call = mode === 'array' ? 'elements of array' : 'json_each';
  return `each${source} = ${call}(${formatExpression(input)})`;
}

function formatColumn(column: OutputColumn): string {
  if (column.kind === 'star') return column.legacy ? '* (not _, fills NULL)' : '*';
  const value = formatExpression(column.value);
  return value === column.name ? value : `${value} AS ${column.name}`;
}

function formatBuckets(query: BucketQuery): string[] {
  const names = Array.from({ length: query.parameterCount }, (_, i) => `p${i + 1}`);
  const lines = [`  buckets ${query.bucket}[${names.join(', ')}], priority ${query.priority}`];
  if (query.filter !== undefined) lines.push(`    if ${formatExpression(query.filter)}`);
  return [...lines, ...query.components.flatMap(formatComponent)];
}

function formatComponent({ steps, results }: Component): string[] {
  const lines: string[] = [];
  let lookups = 0;
  for (const step of steps) lines.push(formatStep(step, step.kind === 'lookup' ? ++lookups : 0));
  for (const { position, value } of results) {
    lines.push(`p${position + 1} = ${formatKeyValue(value)}`);
  }
  if (results.length === 0 && steps.length > 0) lines.push('anything found will do');
  return lines.map((line, i) => `    ${i === 0 ? '-' : ' '} ${line}`);
}

function formatStep(step: Step, lookupNumber: number): string {
  if (step.kind === 'each') return formatExpansion(step.expansion);
  if (step.kind === 'filter') return `keep if ${formatExpression(step.condition)}`;
  const keys = step.keys.map(formatKeyValue).join(', ');
  return `found${lookupNumber} = ${step.id}[${keys}]`;
}

function formatKeyValue(value: KeyValue): string {
  if (value.kind === 'output') return `found${value.lookup + 1}.${value.index + 1}`;
  // The source 0 of a request is its json_each; a row is not in sight here.
  const text = formatExpression(value.value);
  return value.nullable ? `${text}, or null` : text;
}

function formatEvent({ name, payloads }: CompiledEvent): string {
  return [`event ${name}`, ...payloads.flatMap(formatPayload)].join('\n');
}

function formatPayload(query: EventQuery): string[] {
  return [
    `  rows of ${formatPattern(query.pattern)}`,
    ...formatSelection(query),
    `    payload ${query.columns.map(formatColumn).join(', ')}`,
  ];
}

function formatPattern({ schema, schemaIsPrefix, name, nameIsPrefix }: TablePattern): string {
  return `${schema}${schemaIsPrefix ? '%' : ''}.${name}${nameIsPrefix ? '%' : ''}`;
}
