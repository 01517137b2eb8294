import type { CompiledColumn, CompiledTable } from '../../schema/compiled-schema.ts';
import { byName, objectJson, presentColumnsJson } from '../../schema/row-json.ts';
import { joinTerms, quoteName, quoteText } from '../../schema/sql-text.ts';

/*
 * SQL for queue entries as spec/client.md 2.5 has them, byte for byte. Keys stand in the order op, id, type,
 * data, old, metadata; keys in `data` are sorted, those in `old` as declared.
 */

export function putEntry(table: CompiledTable): string {
  return concatenation([
    head('PUT', table, 'NEW."id"'),
    `',"data":'`,
    presentColumnsJson(table.columns, 'NEW'),
    ...metadata(table, 'NEW."_metadata"'),
    `'}'`,
  ]);
}

export function patchEntry(table: CompiledTable): string {
  const data = byName(table.columns).map((column) => ({
    name: column.name,
    value: `NEW.${quoteName(column.name)}`,
    when: changed(column),
  }));
  const old = tracked(table).map((column) => ({
    name: column.name,
    value: `OLD.${quoteName(column.name)}`,
    when: table.trackPreviousOnlyWhenChanged ? changed(column) : undefined,
  }));
  return concatenation([
    head('PATCH', table, 'OLD."id"'),
    `',"data":'`,
    objectJson(data),
    ...(old.length === 0 ? [] : [`',"old":'`, objectJson(old)]),
    ...metadata(table, 'NEW."_metadata"'),
    `'}'`,
  ]);
}

/** `row`: OLD or the alias of a table. `note`: SQL of the metadata. */
export function deleteEntry(table: CompiledTable, row: string, note: string | undefined): string {
  const old = tracked(table).map(({ name }) => ({
    name,
    value: `${row}.${quoteName(name)}`,
    when: undefined,
  }));
  return concatenation([
    head('DELETE', table, `${row}."id"`),
    ...(old.length === 0 ? [] : [`',"old":'`, objectJson(old)]),
    ...(note === undefined ? [] : metadata(table, note)),
    `'}'`,
  ]);
}

/** Its keys stand in another order. A view gives values as they were written, so they get their column's form here. */
export function insertOnlyEntry(table: CompiledTable): string {
  const data = byName(table.columns).map(({ name, type }) => ({
    name,
    value: inColumn(`NEW.${quoteName(name)}`, type),
    when: `NEW.${quoteName(name)} IS NOT NULL`,
  }));
  return concatenation([
    quoteText(`{"op":"PUT","type":${JSON.stringify(table.name)},"id":`),
    `json_quote(NEW."id" || '')`,
    `',"data":'`,
    objectJson(data),
    ...metadata(table, 'NEW."_metadata"'),
    `'}'`,
  ]);
}

/**
 * SQL that says whether an update changes a column's value: by bytes, whatever the column's collation. Only a
 * column without affinity can change from 1 to 1.0.
 */
export function changed({ name, type }: CompiledColumn): string {
  const differs = `NEW.${quoteName(name)} IS NOT OLD.${quoteName(name)} COLLATE BINARY`;
  if (type !== 'BLOB') return differs;
  return `(${differs} OR typeof(NEW.${quoteName(name)}) <> typeof(OLD.${quoteName(name)}))`;
}

function tracked(table: CompiledTable): readonly CompiledColumn[] {
  return table.columns.filter(({ name }) => table.trackPrevious.includes(name));
}

function head(op: string, table: CompiledTable, id: string): string {
  const type = quoteText(`,"type":${JSON.stringify(table.name)}`);
  return concatenation([quoteText(`{"op":"${op}","id":`), `json_quote(${id})`, type]);
}

function metadata({ trackMetadata }: CompiledTable, value: string): readonly string[] {
  if (!trackMetadata) return [];
  return [
    `CASE typeof(${value}) WHEN 'text' THEN ',"metadata":' || json_quote(${value} || '') ELSE '' END`,
  ];
}

/** What SQLite would make of the value in a column of the type. Text from JSON functions is text like any other (`|| ''`). */
function inColumn(value: string, type: CompiledColumn['type']): string {
  const text = `WHEN 'text' THEN ${value} || ''`;
  if (type === 'REAL')
    return `CASE typeof(${value}) WHEN 'integer' THEN CAST(${value} AS REAL) ${text} ELSE ${value} END`;
  if (type === 'TEXT')
    return `CASE typeof(${value}) WHEN 'blob' THEN ${value} ELSE ${value} || '' END`;
  return `CASE typeof(${value}) ${text} ELSE ${value} END`;
}

function concatenation(parts: readonly string[]): string {
  return joinTerms('||', parts);
}
