import { identifiers, wordSet } from './identifiers.ts';
import { fileText, HEADER, type SchemaFormat } from './schema-format.ts';
import { createTable } from './sql-tables.ts';

/** Drift has a `QueryRow` of its own. */
const ROW_CLASSES = {
  letterCase: 'pascal',
  ascii: true,
  fallback: 'Table',
  reserved: wordSet('QueryRow'),
} as const;

/**
 * For drift on top of the Dart SDK: drift checks queries against these tables, PowerSync makes
 * them. Each gets a row class of its own name, for drift would call that of `lists` plain `List`.
 */
export const DRIFT: SchemaFormat = {
  name: 'drift',
  description: 'drift for Dart: SQL for a .drift file',
  fileName: 'schema.drift',
  generate({ tables }) {
    const classes = identifiers(
      tables.map(({ name }) => `${name} Row`),
      ROW_CLASSES,
    );
    return fileText([
      [
        `-- ${HEADER}`,
        '-- PowerSync creates these tables: leave the onCreate of the migration strategy empty.',
      ],
      ...tables.map((table, i) => endWith(createTable(table), ` AS ${classes[i] ?? ''};`)),
    ]);
  },
};

/** For SQLDelight on top of the Kotlin SDK, which checks queries against these tables. */
export const SQLDELIGHT: SchemaFormat = {
  name: 'sqldelight',
  description: 'SQLDelight for Kotlin: SQL for a .sq file',
  fileName: 'schema.sq',
  generate: ({ tables }) =>
    fileText([
      [
        `-- ${HEADER}`,
        '-- PowerSync creates these tables: SQLDelight only checks queries against them.',
      ],
      ...tables.map((table) => endWith(createTable(table), ';')),
    ]),
};

function endWith(lines: readonly string[], end: string): readonly string[] {
  return [...lines.slice(0, -1), `${lines.at(-1) ?? ''}${end}`];
}
