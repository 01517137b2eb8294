import { syncConfigJsonSchema } from '@sluice/sync-config';

/** docs/sync-config.schema.json, made from the keys that the compiler knows. */
export function syncConfigSchemaFile(): string {
  return `${JSON.stringify(syncConfigJsonSchema(), null, 2)}\n`;
}
