import type { TablePattern } from '@sluice/model';
import { formatExpression } from '../expr/format-expression.ts';
import type { LookupQuery } from '../plan/queries.ts';
import type { LookupDescription } from './explanation.ts';

export function describeLookup(query: LookupQuery): LookupDescription {
  const text = (expression: LookupQuery['keys'][number]) => formatExpression(expression);
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
