import type { TablePattern } from '@sluice/model';
import type { LookupQuery } from '../plan/queries.ts';
import type { Dialect } from '../values/dialect.ts';
import { writtenSql } from './as-written.ts';
import type { LookupDescription } from './explanation.ts';

export function describeLookup(query: LookupQuery, dialect: Dialect): LookupDescription {
  const text = (expression: LookupQuery['keys'][number]) => writtenSql(expression, dialect);
  return {
    table: tableText(query.pattern),
    keys: query.keys.map(text),
    outputs: query.outputs.map(text),
    filter: query.filter && text(query.filter),
  };
}

/** Schemas are left out, as queries usually do; a wildcard keeps its `%`. */
function tableText({ name, nameIsPrefix }: TablePattern): string {
  return nameIsPrefix ? `${name}%` : name;
}
