import type { TableSchema } from '@sluice/model';
import { CONFIG_SCHEMA_COMMENT } from '../sync-config/config-schema-file.ts';

/** Columns that usually name the user whom a row belongs to, the likeliest first. */
const OWNER_COLUMNS = ['user_id', 'owner_id', 'created_by', 'author_id', 'account_id'];

/**
 * A first sync config for a schema: each table that names a user becomes a stream of the user's own
 * rows. Tables that do not are written down as comments: who may see them is not for us to guess.
 */
export function starterConfig(tables: readonly TableSchema[], defaultSchema: string): string {
  const named = tables.map((table) => ({
    table,
    owner: ownerColumn(table),
    hasId: hasColumn(table, 'id'),
  }));
  const usable = named.filter(({ owner, hasId }) => owner !== undefined && hasId);
  const others = named.filter(({ owner, hasId }) => owner === undefined || !hasId);
  const lines = [
    CONFIG_SCHEMA_COMMENT,
    '# Which rows each user gets. Made from the schema by sluice init: look it over before you use it.',
    '# Check it with: sluice validate sync-config.yaml --db URL',
    'config:',
    '  edition: 3',
    '',
    usable.length === 0 ? 'streams: {}' : 'streams:',
  ];
  for (const { table, owner } of usable) {
    lines.push(
      ...streamLines(table, defaultSchema, `WHERE ${quoted(owner ?? '')} = auth.user_id()`),
      '',
    );
  }
  if (others.length > 0) {
    lines.push(
      '# Tables whose rows do not name a user. Say who may see them, then remove the # signs.',
      '# `WHERE true` would give every row to every user.',
    );
    for (const { table, hasId } of others) {
      const hint = hasId ? '' : ' # has no column id: write SELECT *, key_column AS id';
      const body = streamLines(table, defaultSchema, 'WHERE …');
      lines.push(...body.map((line, index) => `# ${line}${index === 0 ? hint : ''}`), '#');
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function streamLines(table: TableSchema, defaultSchema: string, where: string): string[] {
  const inDefault = table.schema === defaultSchema;
  const source = inDefault ? quoted(table.name) : `${quoted(table.schema)}.${quoted(table.name)}`;
  const name = inDefault ? table.name : `${table.schema}_${table.name}`;
  const query = `SELECT * FROM ${source} ${where}`;
  return [
    `  ${/^\w+$/.test(name) ? name : JSON.stringify(name)}:`,
    '    auto_subscribe: true',
    `    query: ${query.includes(': ') || query.includes(' #') ? JSON.stringify(query) : query}`,
  ];
}

function ownerColumn(table: TableSchema): string | undefined {
  return OWNER_COLUMNS.find((name) => hasColumn(table, name));
}

function hasColumn(table: TableSchema, name: string): boolean {
  return table.columns.some((column) => column.name === name);
}

function quoted(identifier: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(identifier)
    ? identifier
    : `"${identifier.replaceAll('"', '""')}"`;
}
