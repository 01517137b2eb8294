import { matchesPattern, type TablePattern } from '@sluice/model';
import type { SourceCheck } from '@sluice/source';
import { quoteName, quoteTable } from '../connect/quoting.ts';
import { enumerate, ok, type CheckContext } from './check-context.ts';
import type { CheckedTable } from './checked-tables.ts';

/** One point about the tables of the patterns: which are concerned, and what to run for each. */
interface TablePoint {
  readonly name: string;
  readonly status: 'warning' | 'problem';
  readonly fine: string;
  readonly isConcerned: (table: CheckedTable, context: CheckContext) => boolean;
  readonly message: (tables: string, context: CheckContext) => string;
  /** SQL for one table, without semicolon. */
  readonly remedy: (table: CheckedTable, context: CheckContext) => readonly string[];
  /** Whether the role can run the remedy; absent: never. */
  readonly mayFix?: (table: CheckedTable) => boolean;
}

const POINTS: readonly TablePoint[] = [
  {
    name: 'tables_published',
    status: 'problem',
    fine: 'All tables of the sync config are in the publication',
    isConcerned: (table) => !table.isPublished && !table.isUnlogged,
    message: (tables, { publication }) => `Not in publication ${publication}: ${tables}`,
    remedy: (table, { publication }) => [
      `ALTER PUBLICATION ${quoteName(publication)} ADD TABLE ${quoteTable(table)}`,
    ],
    mayFix: (table) => table.ownsPublication && table.isOwner,
  },
  {
    name: 'tables_readable',
    status: 'problem',
    fine: 'The role may read all tables of the sync config',
    isConcerned: (table) => !table.maySelect || !table.mayUseSchema,
    message: (tables, { role }) => `Role ${role.name} may not read ${tables}`,
    remedy: (table, { role }) => [
      ...(table.mayUseSchema
        ? []
        : [`GRANT USAGE ON SCHEMA ${quoteName(table.schema)} TO ${quoteName(role.name)}`]),
      ...(table.maySelect
        ? []
        : [`GRANT SELECT ON ${quoteTable(table)} TO ${quoteName(role.name)}`]),
    ],
  },
  {
    name: 'tables_row_security',
    status: 'warning',
    fine: 'Row level security hides nothing from the role',
    isConcerned: (table, { role }) => table.hasRowSecurity && !role.bypassesRls,
    message: (tables, { role }) =>
      `Row level security may hide rows from role ${role.name} in snapshots of ${tables}`,
    remedy: (_table, { role }) => [`ALTER ROLE ${quoteName(role.name)} BYPASSRLS`],
  },
  {
    name: 'tables_identity',
    status: 'warning',
    fine: 'All tables of the sync config have a replica identity',
    isConcerned: ({ identity, hasPrimaryKey }) =>
      identity === 'n' || (identity === 'd' && !hasPrimaryKey),
    message: (tables) =>
      `No replica identity, so PostgreSQL refuses or does not report updates and deletes: ${tables}`,
    remedy: (table) => [
      `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY ${table.hasPrimaryKey ? 'DEFAULT' : 'FULL'}`,
    ],
    mayFix: (table) => table.isOwner,
  },
  {
    name: 'tables_unlogged',
    status: 'problem',
    fine: 'No table of the sync config is unlogged',
    isConcerned: (table) => table.isUnlogged,
    message: (tables) => `Unlogged tables cannot be replicated: ${tables}`,
    remedy: (table) => [`ALTER TABLE ${quoteTable(table)} SET LOGGED`],
  },
];

export function checkTables(
  context: CheckContext,
  tables: readonly CheckedTable[],
): readonly SourceCheck[] {
  return [checkExistence(context.patterns, tables), ...checkPoints(context, tables)];
}

/** Everything but whether the tables exist at all. */
export function checkPoints(
  context: CheckContext,
  tables: readonly CheckedTable[],
): readonly SourceCheck[] {
  return POINTS.map((point) => checkPoint(point, context, tables));
}

function checkPoint(
  point: TablePoint,
  context: CheckContext,
  tables: readonly CheckedTable[],
): SourceCheck {
  const concerned = tables.filter((table) => point.isConcerned(table, context));
  if (concerned.length === 0) return ok(point.name, point.fine);
  const names = concerned.map(({ schema, name }) => `${schema}.${name}`);
  const sqlOf = (some: readonly CheckedTable[]) => [
    ...new Set(some.flatMap((table) => point.remedy(table, context))),
  ];
  const fixable = concerned.filter(
    (table) => context.role.isSuperuser || point.mayFix?.(table) === true,
  );
  return {
    name: point.name,
    status: point.status,
    message: point.message(enumerate(names), context),
    remedy: sqlOf(concerned).map((sql) => `${sql};`),
    fix: point.mayFix && fixable.length > 0 ? sqlOf(fixable) : undefined,
  };
}

/** A wildcard may match nothing yet; a name that does not exist is most likely misspelt. */
function checkExistence(
  patterns: readonly TablePattern[],
  tables: readonly CheckedTable[],
): SourceCheck {
  const unmatched = patterns.filter(
    (pattern) => !tables.some((table) => matchesPattern(pattern, table)),
  );
  if (unmatched.length === 0)
    return ok('tables_exist', `Tables of the sync config found: ${tables.length}`);
  const isWildcard = (pattern: TablePattern) => pattern.nameIsPrefix || pattern.schemaIsPrefix;
  const names = unmatched.map(
    (pattern) =>
      `${pattern.schema}${pattern.schemaIsPrefix ? '%' : ''}.${pattern.name}${pattern.nameIsPrefix ? '%' : ''}`,
  );
  return {
    name: 'tables_exist',
    status: unmatched.every(isWildcard) ? 'warning' : 'problem',
    message: `No table matches ${enumerate(names)}`,
    remedy: ['Correct the name in the sync config, or create the table'],
  };
}
