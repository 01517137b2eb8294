import { quoteName } from '../schema/sql-text.ts';
import { ReadsInProgress, type ReadSet } from './read-set.ts';
import { changeName, type SchemaCatalog, type VirtualTable } from './schema-catalog.ts';

/** Table-valued functions whose rows come from their arguments alone. */
const FUNCTIONS = /^(?:jsonb?_(?:each|tree)|generate_series|carray|fts3tokenize)$/;
/** Modules that keep their rows in tables named after them (`docs` in `docs_data`, `docs_idx`, ...). */
const SHADOWED = /^(?:fts[345]|rtree(?:_i32)?|geopoly)$/;
/** Modules that show the insides of another virtual table, which their arguments name. */
const VIEWING = /^(?:fts5vocab|fts4aux)$/;

/**
 * What reading a virtual table reads: itself, its shadow tables, and the table or view that an FTS table has its
 * content in. A module that is not known may read anything.
 */
export function virtualTableReads(
  table: VirtualTable,
  catalog: SchemaCatalog,
  readsOfQuery: (sql: string) => ReadSet,
): ReadSet {
  if (FUNCTIONS.test(table.module)) return new Map();
  // These tell of the schema, and a change of that compiles everything anew.
  if (table.module.startsWith('pragma_')) return new Map();
  if (VIEWING.test(table.module)) return viewedTable(table, catalog);
  if (!SHADOWED.test(table.module)) return 'everything';
  const reads = new ReadsInProgress();
  for (const name of ownTables(table, catalog)) reads.addTable(name);
  const content = contentTable(table, catalog);
  if (content !== undefined) reads.addAll(readsOfQuery(`SELECT * FROM ${content}`));
  return reads.result;
}

/** What writing to a virtual table writes: itself and its shadow tables. */
export function virtualTableWrites(table: VirtualTable, catalog: SchemaCatalog): readonly string[] {
  return SHADOWED.test(table.module) ? ownTables(table, catalog) : [changeName(table)];
}

function ownTables(table: VirtualTable, catalog: SchemaCatalog): readonly string[] {
  const { schema, name } = table;
  const shadows = catalog.tablesNamed(schema, `${name}_`);
  return [name, ...shadows].map((shadow) => changeName({ schema, name: shadow }));
}

/** Where an FTS table finds its rows' text, if that is not a table of its own. */
function contentTable(
  { schema, options }: VirtualTable,
  catalog: SchemaCatalog,
): string | undefined {
  const option = options.find((text) => /^\s*content\s*=/i.test(text));
  const content = unquoted(option?.slice(option.indexOf('=') + 1) ?? '').toLowerCase();
  if (content === '' || !catalog.hasTable(schema, content)) return undefined;
  return `${quoteName(schema)}.${quoteName(content)}`;
}

function viewedTable(table: VirtualTable, catalog: SchemaCatalog): ReadSet {
  const names = table.options.map((text) => unquoted(text).toLowerCase());
  // (table, type), or (database, table, type) from the temp database; fts4aux has no type.
  const withSchema = names.length === (table.module === 'fts5vocab' ? 3 : 2);
  const [schema = table.schema, name = ''] = withSchema ? names : [table.schema, names[0] ?? ''];
  const reads = new ReadsInProgress();
  for (const own of [name, ...catalog.tablesNamed(schema, `${name}_`)]) {
    reads.addTable(changeName({ schema, name: own }));
  }
  return reads.result;
}

function unquoted(text: string): string {
  const bare = text.trim();
  const quote = bare[0] ?? '';
  if (!['"', "'", '`', '['].includes(quote)) return bare;
  const end = quote === '[' ? ']' : quote;
  return bare.slice(1, bare.endsWith(end) ? -1 : undefined).replaceAll(end + end, end);
}
