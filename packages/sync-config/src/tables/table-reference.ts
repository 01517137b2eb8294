import type { TablePattern, TableSchema } from '@sluice/model';
import type { KnownType } from '../advice/advised-query.ts';
import { matchesPattern } from '@sluice/model';
import type { Fix, Reporter, Span } from '../diagnostics.ts';
import { quoteName } from '../sql/quote-name.ts';
import type { Identifier, SourceSyntax } from '../sql/syntax.ts';
import { closest, didYouMean } from '../suggest.ts';

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
  if (liveTables?.length === 0) reportMissing(syntax, pattern, context);
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
      const { start, end } = schema;
      const fix = { text: `Write "${name}"`, edit: { start, end, text: `"${name}"` } };
      context.report.error('UNKNOWN_TABLE', schema, message, fix);
    }
  }
  return { schema: name, schemaIsPrefix: isWildcard(schema) };
}

function reportMissing(syntax: TableSyntax, pattern: TablePattern, context: TableContext): void {
  const span = { start: syntax.schema?.start ?? syntax.table.start, end: syntax.table.end };
  const written = `${syntax.schema === undefined ? '' : `${syntax.schema.raw}.`}${syntax.table.raw}`;
  const message = pattern.nameIsPrefix
    ? `No table has a name like ${written}`
    : `There is no table ${written}${syntax.schema === undefined ? ` in the schema ${pattern.schema}` : ''}`;
  const fix = pattern.nameIsPrefix
    ? prefixFix(pattern, span, syntax, context)
    : tableFix(pattern, span, syntax, context);
  context.report.warn('TABLE_NOT_FOUND', span, message, fix);
}

/** The table that was probably meant: the same name elsewhere, in other letters, or a near one. */
function tableFix(
  { schema, name }: TablePattern,
  span: Span,
  syntax: TableSyntax,
  context: TableContext,
): Fix | undefined {
  const tables = context.sourceSchema ?? [];
  const write = (table: TableSchema) => writeTable(table, context);
  const same = tables.filter((table) => table.name === name || table.name === syntax.table.raw);
  const inSchema = tables.filter((table) => table.schema === schema);
  const sameHere = same.find((table) => table.schema === schema);
  const elsewhere = closest(
    name,
    tables.map((table) => table.name),
  );
  const near = closest(
    name,
    inSchema.map((table) => table.name),
  );
  const found =
    sameHere ??
    (same.length === 1 ? same[0] : undefined) ??
    inSchema.find((table) => table.name === near) ??
    same[0] ??
    tables.find((table) => table.name === elsewhere);
  if (found === undefined) return undefined;
  const text = write(found);
  const reason = sameHere === undefined ? '' : ': names with capitals need double quotes';
  const verb = sameHere === undefined ? `Did you mean ${text}?` : `Write ${text}${reason}`;
  return { text: verb, edit: { ...span, text } };
}

function writeTable({ schema, name }: TableSchema, context: TableContext): string {
  const table = quoteName(name);
  return schema === context.defaultSchema ? table : `${quoteName(schema)}.${table}`;
}

/** Compares with the beginnings of the names, which is what a wildcard is about. */
function prefixFix(
  { schema, name }: TablePattern,
  span: Span,
  syntax: TableSyntax,
  context: TableContext,
): Fix | undefined {
  const tables = (context.sourceSchema ?? []).filter((table) => table.schema === schema);
  const beginnings = new Set(
    tables.flatMap((table) =>
      [-1, 0, 1].map((more) => table.name.slice(0, name.length + more)).filter(Boolean),
    ),
  );
  const front = syntax.schema === undefined ? '' : `${quoteName(syntax.schema.name)}.`;
  return didYouMean(span, name, beginnings, (beginning) => `${front}"${beginning}%"`);
}

/** Warns when none of the live tables has the column. */
export function checkColumn(column: Identifier, table: TableReference, report: Reporter): void {
  const { liveTables } = table;
  if (liveTables === undefined || liveTables.length === 0) return;
  const names = new Set(liveTables.flatMap(({ columns }) => columns.map(({ name }) => name)));
  if (names.has(column.name)) return;
  const tableName = table.pattern.name + (table.pattern.nameIsPrefix ? '%' : '');
  const message = `There is no column ${column.raw} in ${tableName}`;
  report.warn('COLUMN_NOT_FOUND', column, message, columnFix(column, names));
}

function columnFix(column: Identifier, names: ReadonlySet<string>): string | Fix {
  const { start, end, raw, name, quoted } = column;
  const edit = (text: string) => ({ start, end, text });
  const sameLetters = [...names].find((known) => known.toLowerCase() === name.toLowerCase());
  if (sameLetters !== undefined) {
    const text = quoteName(sameLetters);
    const reason = text.startsWith('"') ? ': names with capitals need double quotes' : '';
    return { text: `Write ${text}${reason}`, edit: edit(text) };
  }
  const near = didYouMean(column, name, names, quoteName);
  if (near !== undefined) return near;
  if (quoted) return { text: `Write '${raw}' if it is a text`, edit: edit(`'${raw}'`) };
  return `Known: ${shortList([...names])}`;
}

/** So many names are listed at most. */
const MAX_LISTED = 12;

function shortList(names: readonly string[]): string {
  const listed = names.slice(0, MAX_LISTED).join(', ');
  return names.length > MAX_LISTED ? `${listed}, …` : listed;
}

/** The type that a column has in all the live tables; undefined where it is not known, or not one. */
export function columnType(table: TableReference, name: string): KnownType | undefined {
  const types = new Set(
    (table.liveTables ?? []).flatMap(({ columns }) =>
      columns.filter((column) => column.name === name).map(knownType),
    ),
  );
  const [only, second] = types;
  return second === undefined ? only : undefined;
}

function knownType({ sqliteType, sourceType }: TableSchema['columns'][number]): KnownType {
  return sqliteType === 'integer' && /^bool/i.test(sourceType) ? 'boolean' : sqliteType;
}
