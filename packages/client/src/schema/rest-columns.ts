import type { SqliteConnection } from '../driver/contract.ts';
import type { CompiledTable } from './compiled-schema.ts';
import { objectJson } from './row-json.ts';
import { joinTerms, quoteName, quoteText } from './sql-text.ts';

/*
 * Values of columns that come and go with the app's schema: what the server sent for a column that is not declared
 * lies in `sluice_rest`. Where a local write lies over a row, the server's values are those in its shadow.
 */

/** Keeps the server's values of columns that are about to be dropped. */
export function keepDropped(
  connection: SqliteConnection,
  { viewName }: CompiledTable,
  type: number,
  names: readonly string[],
): void {
  if (names.length === 0) return;
  const fromTable = objectJson(
    names.map((name) => ({
      name,
      value: `t.${quoteName(name)}`,
      when: `t.${quoteName(name)} IS NOT NULL`,
    })),
  );
  const shadowed = `SELECT 1 FROM sluice_shadow AS s WHERE s.type = ${type} AND s.id = t."id"`;
  const rest = (id: string) =>
    `coalesce((SELECT data FROM sluice_rest AS r WHERE r.type = ${type} AND r.id = ${id}), '{}')`;
  connection.exec(`
    INSERT OR REPLACE INTO sluice_rest (type, id, data)
      SELECT ${type}, "id", json_patch(${rest('"id"')}, members) FROM
        (SELECT t."id", ${fromTable} AS members FROM ${quoteName(viewName)} AS t WHERE NOT EXISTS (${shadowed}))
      WHERE members <> '{}';
    INSERT OR REPLACE INTO sluice_rest (type, id, data)
      SELECT ${type}, id, json_patch(${rest('id')}, members) FROM
        (SELECT s.id, ${pickedJson('s.data', names)} AS members FROM sluice_shadow AS s
          WHERE s.type = ${type} AND s.data IS NOT NULL)
      WHERE members <> '{}';`);
}

/** Gives new columns the values that the server had sent before. */
export function fillAdded(
  connection: SqliteConnection,
  { viewName }: CompiledTable,
  type: number,
  names: readonly string[],
): void {
  if (names.length === 0) return;
  const known = joinTerms(
    'OR',
    names.map((name) => `${memberOf('r.data', name)} IS NOT NULL`),
  );
  const assignments = names.map((name) => `${quoteName(name)} = r.data ->> ${path(name)}`);
  const paths = names.map(path);
  connection.exec(`
    UPDATE ${quoteName(viewName)} AS t SET ${assignments.join(', ')} FROM sluice_rest AS r
      WHERE r.type = ${type} AND r.id = t."id" AND (${known});
    UPDATE sluice_shadow AS s SET data = json_patch(s.data, ${pickedJson('r.data', names)}) FROM sluice_rest AS r
      WHERE s.type = ${type} AND s.data IS NOT NULL AND r.type = s.type AND r.id = s.id AND (${known});`);
  for (const removed of paths) {
    connection.exec(`UPDATE sluice_rest AS r SET data = json_remove(data, ${removed})
      WHERE type = ${type} AND data -> ${removed} IS NOT NULL`);
  }
  connection.exec(`DELETE FROM sluice_rest WHERE type = ${type} AND data = '{}'`);
}

/** SQL for a JSON object with some members of another one. */
function pickedJson(object: string, names: readonly string[]): string {
  const parts = names.map(
    (name) =>
      `coalesce(${quoteText(`,${JSON.stringify(name)}:`)} || (${memberOf(object, name)}), '')`,
  );
  return `'{' || substr(${joinTerms('||', parts)}, 2) || '}'`;
}

function memberOf(object: string, name: string): string {
  return `${object} -> ${path(name)}`;
}

function path(name: string): string {
  return quoteText(`$.${JSON.stringify(name)}`);
}
