import type { TablePattern, TableSchema } from '@sluice/model';
import { matchesPattern } from '@sluice/model';
import type { Reporter } from '../diagnostics.ts';
import type { Identifier, SourceSyntax } from '../sql/syntax.ts';
import { suggest } from '../suggest.ts';

export interface TableContext {
  readonly report: Reporter;
  readonly defaultSchema: string;
  readonly sourceSchema: readonly TableSchema[] | undefined;
}

/** A table, or all tables behind a wildcard, as a query names it. */
export interface TableReference {
  readonly pattern: TablePattern;
  /** Client table name; undefined for the name of each table itself. */
  readonly clientName: string | undefined;
  /** The live tables; undefined when the source schema is not known. */
  readonly liveTables: readonly TableSchema[] | undefined;
}

type TableSyntax = Extract<SourceSyntax, { kind: 'table' }>;

/** Resolves a table name against schema and wildcards. Source: spec/sync-config.md 14. */
export function resolveTable(syntax: TableSyntax, context: TableContext): TableReference {
  const pattern = {
    ...schemaPattern(syntax.schema, context),
    name: withoutWildcard(syntax.table),
    nameIsPrefix: isWildcard(syntax.table),
  };
  const liveTables = context.sourceSchema?.filter((table) => matchesPattern(pattern, table));
  if (liveTables?.length === 0) reportMissing(syntax, context);
  const ownName = pattern.nameIsPrefix ? undefined : syntax.table.name;
  return { pattern, clientName: syntax.alias?.name ?? ownName, liveTables };
}

function isWildcard(name: Identifier): boolean {
  return name.quoted && name.name.endsWith('%');
}

function withoutWildcard(name: Identifier): string {
  return isWildcard(name) ? name.name.slice(0, -1) : name.name;
}

function schemaPattern(
  schema: Identifier | undefined,
  context: TableContext,
): { schema: string; schemaIsPrefix: boolean } {
  if (schema === undefined) return { schema: context.defaultSchema, schemaIsPrefix: false };
  let name = withoutWildcard(schema);
  const dot = schema.quoted ? name.indexOf('.') : -1;
  if (dot !== -1) {
    const tag = name.slice(0, dot);
    name = name.slice(dot + 1);
    if (tag !== 'default') {
      const message = `There is no connection with the tag ${tag}`;
      context.report.error('UNKNOWN_TABLE', schema, message, `Use "default.${name}" or "${name}"`);
    }
  }
  return { schema: name, schemaIsPrefix: isWildcard(schema) };
}

function reportMissing(syntax: TableSyntax, context: TableContext): void {
  const span = { start: syntax.schema?.start ?? syntax.table.start, end: syntax.table.end };
  const names = context.sourceSchema?.map(({ name }) => name) ?? [];
  const message = `The source has no table ${syntax.table.name}`;
  context.report.warn('TABLE_NOT_FOUND', span, message, suggest(syntax.table.name, names));
}

/** Warns when none of the live tables has the column. */
export function checkColumn(column: Identifier, table: TableReference, report: Reporter): void {
  const { liveTables } = table;
  if (liveTables === undefined || liveTables.length === 0) return;
  const names = new Set(liveTables.flatMap(({ columns }) => columns.map(({ name }) => name)));
  if (names.has(column.name)) return;
  const tableName = table.pattern.name + (table.pattern.nameIsPrefix ? '%' : '');
  const message = `The table ${tableName} has no column ${column.name}`;
  report.warn('COLUMN_NOT_FOUND', column, message, suggest(column.name, names));
}
