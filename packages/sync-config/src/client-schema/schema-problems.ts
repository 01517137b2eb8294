import type { ClientSchema, ClientTable } from './client-schema.ts';

/** spec/sync-config.md 12. */
const MAX_COLUMNS = 1999;
/** Characters that client SDKs refuse in names (spec/client.md 2.2). */
const REFUSED = /["'%,.#\s[\]]/;
const RESERVED_PREFIX = /^(?:ps_|powersync_|sqlite_)/i;

/** What clients will not accept, or what is missing, as sentences; none where all is well. */
export function clientSchemaProblems(schema: ClientSchema): readonly string[] {
  const byKey = new Map<string, string>();
  return schema.tables.flatMap((table) => {
    const { name } = table;
    const key = name.toLowerCase();
    const twin = byKey.get(key);
    byKey.set(key, twin ?? name);
    return [
      ...(twin === undefined
        ? []
        : [`The client tables ${twin} and ${name} differ only in case: SQLite takes them for one`]),
      ...tableProblems(table),
    ];
  });
}

function tableProblems({ name, columns }: ClientTable): readonly string[] {
  const problems: string[] = [];
  if (REFUSED.test(name)) {
    problems.push(`Clients refuse the table name ${JSON.stringify(name)}: give the table an alias`);
  }
  if (RESERVED_PREFIX.test(name)) {
    problems.push(`The table name ${name} begins like the client's own tables: give it an alias`);
  }
  for (const column of columns.filter((c) => REFUSED.test(c.name))) {
    const path = `${name}, column ${JSON.stringify(column.name)}`;
    problems.push(`Clients refuse the name of a column (${path}): write AS with another name`);
  }
  if (columns.length === 0) problems.push(`No columns of the table ${name} are known`);
  if (columns.length > MAX_COLUMNS) {
    problems.push(`The table ${name} has ${columns.length} columns, clients take ${MAX_COLUMNS}`);
  }
  return problems;
}
