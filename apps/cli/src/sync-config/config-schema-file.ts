import { syncConfigJsonSchema } from '@sluice/sync-config';

/** Beside a sync config, whose first line names it. */
export const CONFIG_SCHEMA_FILE = 'sync-config.schema.json';

/** Says to editors where the schema is. */
export const CONFIG_SCHEMA_COMMENT = `# yaml-language-server: $schema=./${CONFIG_SCHEMA_FILE}`;

export function configSchemaText(): string {
  return `${JSON.stringify(syncConfigJsonSchema(), null, 2)}\n`;
}
