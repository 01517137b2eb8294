import type { Reporter } from '../diagnostics.ts';
import { constant, type Expression, type TableFact } from '../expr/expression.ts';
import type { CallSyntax } from '../sql/syntax.ts';
import type { Scope } from './scope.ts';

const TABLE_FACTS: Readonly<Record<string, TableFact>> = {
  schema: 'schema',
  table_name: 'name',
  table_suffix: 'suffix',
};

const REQUEST_REPLACEMENTS: Readonly<Record<string, string>> = {
  user_id: 'Use auth.user_id()',
  jwt: 'Use auth.parameters()',
  parameters: 'Use connection.parameters()',
  parameter: 'Use connection.parameter(...)',
};

/**
 * Binds `t.schema()`, `t.table_name()` and `t.table_suffix()` (edition 3), and refuses `request.*`
 * with what takes its place; undefined for every other call.
 */
export function bindTableFact(
  call: CallSyntax,
  scope: Scope,
  edition: number,
  report: Reporter,
): Expression | undefined {
  const [table, name, third] = call.name;
  if (table === undefined || name === undefined || third !== undefined) return undefined;
  if (table.name === 'request') {
    report.error(
      'UNKNOWN_FUNCTION',
      { start: table.start, end: name.end },
      'request.* belongs to bucket definitions',
      REQUEST_REPLACEMENTS[name.name] ?? 'Use auth, connection or subscription',
    );
    return constant(null, call);
  }
  if (edition < 3) return undefined;
  const entry = scope.find(table.name);
  const fact = TABLE_FACTS[name.name];
  if (entry?.kind !== 'table' || fact === undefined) return undefined;
  if (call.args.length > 0) {
    report.error('ARG_COUNT', call, `${name.name} takes no arguments`);
  }
  if (fact === 'suffix' && !entry.table.pattern.nameIsPrefix) {
    const message = `The table ${table.name} has no wildcard, so its suffix is empty`;
    report.warn('SUFFIX_WITHOUT_WILDCARD', call, message);
  }
  return { kind: 'table fact', source: entry.source, fact, start: call.start, end: call.end };
}
