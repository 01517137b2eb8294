import { operatorCall, type Expression } from '../expr/expression.ts';
import type { Expansion, RowSelection } from '../plan/queries.ts';
import type { ConjunctionParts } from './conjunction-parts.ts';
import { renumber } from './renumber.ts';
import type { SourceList } from './source.ts';

/** AND of all; undefined when there is none. */
export function conjoin(expressions: readonly Expression[]): Expression | undefined {
  const [first, ...rest] = expressions;
  if (first === undefined) return undefined;
  return rest.reduce(
    (all, next) => operatorCall('and', [all, next], { start: all.start, end: next.end }),
    first,
  );
}

/**
 * Table, filter and expansions of one table occurrence, without its keys. The table becomes source
 * 0 and its json_each sources 1, 2 ...; `numbers` receives the translation.
 */
export function selectionOf(
  table: number,
  parts: ConjunctionParts,
  sources: SourceList,
  numbers: Map<number, number>,
): Omit<RowSelection, 'keys'> {
  const source = sources.get(table);
  if (source?.kind !== 'table') throw new RangeError('a selection is of a table');
  numbers.set(table, 0);
  const expansions = (parts.eaches.get(table) ?? []).flatMap((id, index): Expansion[] => {
    const each = sources.get(id);
    if (each?.kind !== 'each') return [];
    const input = renumber(each.input, numbers);
    numbers.set(id, index + 1);
    return [{ source: index + 1, input, mode: each.mode }];
  });
  const filter = conjoin(parts.rowFilters.get(table) ?? []);
  return {
    pattern: source.table.pattern,
    source: 0,
    expansions,
    filter: filter && renumber(filter, numbers),
  };
}
