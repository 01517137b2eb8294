import type { Reporter } from '../diagnostics.ts';
import type { Expression, TableFact } from '../expr/expression.ts';
import type { CallSyntax } from '../sql/syntax.ts';
import type { Scope } from './scope.ts';

const TABLE_FACTS: Readonly<Record<string, TableFact>> = {
  schema: 'schema',
  table_name: 'name',
  table_suffix: 'suffix',
};

/** Binds `t.schema()`, `t.table_name()` and `t.table_suffix()`; undefined for every other call. */
export function bindTableFact(
  call: CallSyntax,
  scope: Scope,
  edition: number,
  report: Reporter,
): Expression | undefined {
  const [table, name, third] = call.name;
  if (table === undefined || name === undefined || third !== undefined) return undefined;
  if (edition < 3) return undefined;
  const entry = scope.find(table.name);
  const fact = TABLE_FACTS[name.name];
  if (entry?.kind !== 'table' || fact === undefined) return undefined;
  if (call.args.length > 0) {
    const text = `${table.raw}.${name.raw}()`;
    const fix = { text: `Write ${text}`, edit: { start: call.start, end: call.end, text } };
    report.error('ARG_COUNT', call, `${name.name} takes no arguments`, fix);
  }
  if (fact === 'suffix' && !entry.table.pattern.nameIsPrefix) {
    const message = `The table ${table.name} has no wildcard, so its suffix is empty`;
    const fix = `Use a wildcard such as "${table.raw}%", or remove it`;
    report.warn('SUFFIX_WITHOUT_WILDCARD', call, message, fix);
  }
  return { kind: 'table fact', source: entry.source, fact, start: call.start, end: call.end };
}
