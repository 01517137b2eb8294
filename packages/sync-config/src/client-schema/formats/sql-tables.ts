import type { ClientTable } from '../client-schema.ts';
import { wordSet } from './identifiers.ts';

const KEYWORDS = wordSet(`
  abort action add after all alter always analyze and as asc attach autoincrement before begin
  between by cascade case cast check collate column commit conflict constraint create cross current
  current_date current_time current_timestamp database default deferrable deferred delete desc detach
  distinct do drop each else end escape except exclude exclusive exists explain fail filter first
  following for foreign from full generated glob group groups having if ignore immediate in index
  indexed initially inner insert instead intersect into is isnull join key last left like limit match
  materialized natural no not nothing notnull null nulls of offset on or order others outer over
  partition plan pragma preceding primary query raise range recursive references regexp reindex
  release rename replace restrict returning right rollback row rows savepoint select set table temp
  temporary then ties to transaction trigger unbounded union unique update using vacuum values view
  virtual when where window with without`);

/** A name in SQLite's SQL, in quotes where it needs them. */
function sqlName(name: string): string {
  const isPlain = /^[A-Za-z_]\w*$/.test(name) && !KEYWORDS.has(name.toLowerCase());
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}

/** `CREATE TABLE` without the end of the statement. */
export function createTable({ name, columns }: ClientTable): readonly string[] {
  const definitions = [
    'id TEXT NOT NULL PRIMARY KEY',
    ...columns.map((column) => `${sqlName(column.name)} ${column.type.toUpperCase()}`),
  ];
  return [
    `CREATE TABLE ${sqlName(name)} (`,
    ...definitions.map((line, i) => `  ${line}${i < definitions.length - 1 ? ',' : ''}`),
    ')',
  ];
}
