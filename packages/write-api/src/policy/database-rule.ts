import type { ColumnRead, DatabaseText, RequestValue } from '@sluice/sync-config';
import { cellExpression, readCell } from '../postgres/row-cells.ts';
import { quoteName } from '../postgres/sql-name.ts';
import type { RowValues } from '../pipeline/row-write.ts';
import type { RuleTable } from './rule-table.ts';
import { claimsOf, type RuleRows, type RuleWorld } from './rule-values.ts';

/** A statement that PostgreSQL evaluates for these values. */
export interface RuleStatement {
  readonly text: string;
  readonly values: readonly (string | null)[];
}

export type DatabaseRule = (
  rows: RuleRows,
  world: Pick<RuleWorld, 'caller' | 'metadata'>,
) => RuleStatement;

/**
 * Lets PostgreSQL evaluate a rule: the rows become one-row tables of their names around it, so that
 * the text stays as it is and its subqueries see `old`, `new`, the table's own name and bare columns by
 * SQL's own scoping.
 * Request values are parameters without a type, which PostgreSQL takes from what they are compared to.
 *
 * `result`: how the value comes back, a truth (NULL is none) or a text.
 */
export function databaseRule(
  parts: DatabaseText,
  reads: readonly ColumnRead[],
  table: RuleTable,
  result: 'truth' | 'text',
): DatabaseRule {
  return (rows, world) => {
    const values: (string | null)[] = [];
    const rowOf = (name: keyof RuleRows): string => {
      const own = reads.filter(({ row }) => row === name);
      const cells = own.map(({ column }) => cell(table, column, rows[name], values));
      return `(SELECT ${cells.join(', ')}) AS ${quoteName(name === 'row' ? table.name : name)}`;
    };
    const sql = parts
      .map((part) => (typeof part === 'string' ? part : requestParameter(part, world, values)))
      .join('');
    const value = result === 'truth' ? `coalesce((${sql}\n)::boolean, false)` : `(${sql}\n)::text`;
    const text = `SELECT (SELECT ${value} FROM ${rowOf('row')}) AS value FROM ${rowOf('old')}, ${rowOf('new')}`;
    return { text, values };
  };
}

/** `$3::uuid AS "owner_id"` */
function cell(
  table: RuleTable,
  name: string,
  row: RowValues | undefined,
  values: (string | null)[],
): string {
  const value = row?.get(name) ?? null;
  const column = table.columns.get(name);
  const place = values.length + 1;
  if (column === undefined) {
    values.push(value === null ? null : String(value as string));
    return `$${place}::text AS ${quoteName(name)}`;
  }
  const bound = readCell(column, value);
  values.push(bound.text);
  return `${cellExpression(bound, place)} AS ${quoteName(name)}`;
}

/** SQL for a value of the request, bound as a parameter. */
export function requestParameter(
  value: RequestValue,
  { caller, metadata }: Pick<RuleWorld, 'caller' | 'metadata'>,
  values: (string | null)[],
): string {
  const bind = (parameter: string | null) => `$${values.push(parameter)}`;
  switch (value.kind) {
    case 'user_id':
      return bind(claimText(claimsOf(caller)['sub']));
    case 'claims':
      return `${bind(JSON.stringify(claimsOf(caller)))}::jsonb`;
    case 'claim':
      return bind(claimText(claimAt(claimsOf(caller), value.key)));
    case 'metadata':
      return `${bind(metadata ?? null)}::text`;
    case 'client_id':
      return `${bind(caller.clientId ?? null)}::text`;
  }
}

/** As `->>` reads: one key, or with `$.` in front a path. */
function claimAt(claims: unknown, key: string): unknown {
  if (key === '$') return claims;
  const steps = key.startsWith('$.') ? key.slice(2).split('.') : [key];
  return steps.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Readonly<Record<string, unknown>>)[step]
        : undefined,
    claims,
  );
}

function claimText(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
