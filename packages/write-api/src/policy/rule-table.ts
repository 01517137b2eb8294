import type { TableSchema } from '@sluice/model';
import type { TargetColumn } from '../postgres/target-table.ts';

/** What rules must know of a table; `TargetTable` is one. */
export interface RuleTable {
  readonly name: string;
  readonly columns: ReadonlyMap<string, TargetColumn>;
}

/** A table of which only the names of the columns are known: enough to check rules, not to run them. */
export function ruleTableOf({ name, columns }: TableSchema): RuleTable {
  const known = columns.map((column): [string, TargetColumn] => [
    column.name,
    { ...UNKNOWN_TYPE, name: column.name },
  ]);
  return { name, columns: new Map(known) };
}

const UNKNOWN_TYPE: Omit<TargetColumn, 'name'> = {
  castType: 'text',
  storedType: 'text',
  baseType: '',
  kind: 'plain',
  elementType: undefined,
  typeOid: 0,
  isGenerated: false,
  isDeterministic: true,
};
