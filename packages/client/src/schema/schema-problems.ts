import type { CompiledTable } from './compiled-schema.ts';
import { fullTextName } from './full-text.ts';

/** SQLite's limit of 2,000, less `id`. */
const MAX_COLUMNS = 1999;
const BAD_CHARACTER = /["'%,.#[\]\s\0]/;
/** The table in which the write API keeps what it refused is synced like any other. */
const RESERVED_PREFIX = /^(ps_|powersync_|sqlite_|sluice_(?!rejected_writes$))/i;
/** Other names of SQLite's own row number. */
const ROW_NUMBER = new Set(['rowid', 'oid', '_rowid_']);
const METADATA = new Set(['_metadata', '_deleted']);

/** Everything that is wrong with the tables of a schema (spec/client.md 2.2), each in a sentence that names it. */
export function schemaProblems(tables: readonly CompiledTable[]): readonly string[] {
  return [...tables.flatMap(tableProblems), ...clashes(tables)];
}

function tableProblems(table: CompiledTable): readonly string[] {
  const problems = [
    ...nameProblems('Its name', table.name, RESERVED_PREFIX),
    ...(table.viewName === table.name
      ? []
      : nameProblems('Its viewName', table.viewName, RESERVED_PREFIX)),
    ...columnProblems(table),
    ...table.indexes.flatMap((index) => indexProblems(table, index)),
    ...repeated(table.indexes.map(({ name }) => name)).map(
      (name) => `Index "${name}" is declared twice`,
    ),
    ...optionProblems(table),
    ...fullTextProblems(table),
  ];
  return problems.map((problem) => `Table "${table.name}": ${problem}`);
}

function nameProblems(what: string, name: string, reserved?: RegExp): readonly string[] {
  const problems: string[] = [];
  if (name === '') problems.push(`${what} is empty`);
  const bad = BAD_CHARACTER.exec(name)?.[0];
  if (bad !== undefined)
    problems.push(
      `${what} "${name}" has a character that names cannot have: ${JSON.stringify(bad)}`,
    );
  const prefix = reserved?.exec(name)?.[0];
  if (prefix !== undefined) problems.push(`${what} "${name}" begins with the reserved "${prefix}"`);
  return problems;
}

function columnProblems({ columns, trackMetadata }: CompiledTable): readonly string[] {
  const names = columns.map(({ name }) => name);
  const reserved = names.filter((name) => isReservedColumn(name.toLowerCase(), trackMetadata));
  return [
    ...(names.length > MAX_COLUMNS
      ? [`It has ${names.length} columns; SQLite takes ${MAX_COLUMNS} beside id`]
      : []),
    ...names.flatMap((name) => nameProblems('The name of column', name)),
    ...repeated(names).map(
      (name) => `Column "${name}" is declared twice (names are compared without case)`,
    ),
    ...reserved.map((name) =>
      name.toLowerCase() === 'id'
        ? 'Column "id" is always there and must not be declared'
        : `Column "${name}" has a name with a meaning of its own`,
    ),
  ];
}

function isReservedColumn(name: string, trackMetadata: boolean): boolean {
  return name === 'id' || ROW_NUMBER.has(name) || (trackMetadata && METADATA.has(name));
}

function fullTextProblems({ kind, columns, fullText }: CompiledTable): readonly string[] {
  if (fullText === undefined) return [];
  const known = new Set(columns.map(({ name }) => name));
  return [
    ...(kind === 'insertOnly' ? ['It is insert-only, and has no rows to search in'] : []),
    ...(fullText.columns.length === 0 ? ['Its fullText has no column'] : []),
    ...fullText.columns
      .filter((name) => !known.has(name))
      .map((name) => `Its fullText has the unknown column "${name}"`),
    ...repeated(fullText.columns).map((name) => `Its fullText has column "${name}" twice`),
    ...fullText.columns
      .filter((name) => name.toLowerCase() === 'rank')
      .map((name) => `Its fullText cannot have column "${name}", whose name FTS5 uses itself`),
    ...fullText.prefix
      .filter((length) => !Number.isInteger(length) || length < 1 || length > 999)
      .map((length) => `A prefix of its fullText has a length from 1 to 999, not ${length}`),
  ];
}

function indexProblems(
  table: CompiledTable,
  index: CompiledTable['indexes'][number],
): readonly string[] {
  const known = new Set(['id', ...table.columns.map(({ name }) => name)]);
  const unknown = index.columns.filter(({ name }) => !known.has(name));
  return [
    ...nameProblems('The name of index', index.name),
    ...(index.columns.length === 0 ? [`Index "${index.name}" has no column`] : []),
    ...unknown.map(({ name }) => `Index "${index.name}" has the unknown column "${name}"`),
  ];
}

function optionProblems(table: CompiledTable): readonly string[] {
  const known = new Set(table.columns.map(({ name }) => name));
  const local = table.kind === 'local';
  return [
    ...(local && table.trackMetadata
      ? ['A local-only table has no queue entries, so no trackMetadata']
      : []),
    ...(local && table.trackPrevious.length > 0
      ? ['A local-only table has no queue entries, so no trackPrevious']
      : []),
    ...(table.kind === 'insertOnly' && table.indexes.length > 0
      ? ['An insert-only table has no rows, so no indexes']
      : []),
    ...table.trackPrevious
      .filter((name) => !known.has(name))
      .map((name) => `trackPrevious names the unknown column "${name}"`),
  ];
}

/** Names of different things that SQLite would take for the same. */
function clashes(tables: readonly CompiledTable[]): readonly string[] {
  const owners = new Map<string, string>();
  const problems = repeated(tables.map(({ name }) => name)).map(
    (name) => `Table "${name}" is declared twice (names are compared without case)`,
  );
  const claim = (name: string, owner: string) => {
    const other = owners.get(name.toLowerCase());
    if (other === undefined) owners.set(name.toLowerCase(), owner);
    else if (other !== owner)
      problems.push(`${owner} and ${other} have the same name "${name}" in SQLite`);
  };
  for (const { name, viewName } of tables) claim(viewName, `Table "${name}"`);
  for (const table of tables) {
    if (table.fullText === undefined) continue;
    for (const end of ['', '_data', '_idx', '_content', '_docsize', '_config']) {
      claim(fullTextName(table) + end, `The full-text index of table "${table.name}"`);
    }
  }
  for (const table of tables) {
    for (const index of table.indexes) {
      claim(`${table.viewName}__${index.name}`, `Index "${index.name}" of table "${table.name}"`);
    }
  }
  return problems;
}

function repeated(names: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return names.filter((name) => {
    const key = name.toLowerCase();
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  });
}
